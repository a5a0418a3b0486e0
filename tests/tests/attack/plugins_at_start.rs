//! Plugins that misbehave while they are loaded. Each stands for a kind, and after each of them the server starts, lists the file
//! with the reason, warns in its log, and has the other plugins.

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lglp_registry::Digest;
use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{Registry, root};
use serde_json::Value;

const HEADERS: &str = "#define _GNU_SOURCE\n#include <fcntl.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n\
                       #include <string.h>\n#include <unistd.h>\n";

/// A registry with the built plugins, to which a test adds its own.
fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.plugins = Some(plugins_of(&registry));
    registry.isolation = Some("in-process");
    registry
}

/// C that runs `body` while the library is loaded.
fn on_load(body: &str) -> String {
    format!("{HEADERS}__attribute__((constructor)) static void on_load(void) {{ {body} }}\n")
}

/// A whole plugin, whose one encoder is named `name`, that runs `body` while it is loaded.
fn plugin(name: &str, body: &str) -> String {
    let example = std::fs::read_to_string(root().join("sdk/examples/encoder.c")).expect("the example");
    assert!(example.contains("\"choices\""), "the example's name");
    format!(
        "{}{}",
        on_load(body),
        example.replace("\"choices\"", &format!("\"{name}\""))
    )
}

/// C that counts in `file` how often it has run, and runs `body` from the second time on.
fn from_the_second_time(file: &Path, body: &str) -> String {
    let file = file.display();
    format!(
        "int fd = open(\"{file}\", O_RDWR | O_CREAT | O_APPEND, 0600); \
         off_t before = lseek(fd, 0, SEEK_END); \
         if (write(fd, \"x\", 1) != 1) abort(); \
         close(fd); \
         if (before > 0) {{ {body} }}"
    )
}

/// What a server lists that starts within the time, its log, and how long the start took. The good plugins must all be there.
fn start(registry: &Registry, within: Duration) -> (Value, String) {
    let log = registry.folder.path().join("log");
    let began = Instant::now();
    let server = registry.serve_logging(&log);
    let took = began.elapsed();
    assert!(took < within, "the start took {took:?}");
    let (status, plugins) = server.get("/v1/plugins");
    assert_eq!(status, 200, "{plugins}");
    for good in ["additive", "classical", "command", "encoders"] {
        let good = listed(&plugins, &format!("liblglp_plugin_{good}.so"));
        assert!(good["unavailable"].is_null(), "{good}");
    }
    drop(server);
    (plugins, std::fs::read_to_string(log).expect("a log"))
}

/// Checks that a file is listed with this reason, and that the log warns of it.
fn assert_refused((plugins, log): &(Value, String), file: &str, reason: &str) {
    let plugin = listed(plugins, file);
    let said = plugin["unavailable"]
        .as_str()
        .unwrap_or_else(|| panic!("{file} is available"));
    assert!(said.contains(reason), "{file}: {said}");
    assert!(log.contains(&format!("plugin {file} is unavailable")), "{log}");
}

/// The story: a plugin that called `exit(0)` while it was loaded passed the probe, whose exit status 0 counted as success, and
/// then ended `lglp serve` with status 0 and without a word.
#[test]
fn a_plugin_that_exits_while_loading_is_no_success() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    compile(&on_load("exit(0);"), &folder.join("exit.so"));
    compile(&on_load("_exit(0);"), &folder.join("exit_at_once.so"));
    compile(
        &plugin("exit-three", "fprintf(stderr, \"no licence\\n\"); exit(3);"),
        &folder.join("exit_three.so"),
    );
    let started = start(&registry, Duration::from_secs(60));
    assert_refused(&started, "exit.so", "ends the process (status 0)");
    assert_refused(&started, "exit_at_once.so", "ends the process (status 0)");
    assert_refused(&started, "exit_three.so", "ends the process (status 3): no licence");
    // Commands go the same way.
    let plugins = registry.json(&["plugins"]);
    assert!(!listed(&plugins, "exit.so")["unavailable"].is_null());
    assert!(listed(&plugins, "liblglp_plugin_encoders.so")["unavailable"].is_null());
}

/// The story: that a trial came through must not be easily said by others. This one writes what a good child writes wherever it can,
/// and another one takes the trial's descriptors away.
#[test]
fn a_plugin_cannot_say_that_it_came_through() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    let forged = "for (int fd = 0; fd < 2000; fd++) dprintf(fd, \"\\n{\\\"nonce\\\":\\\"\\\",\\\"at\\\":0,\\\"outcome\\\":{\\\"Ok\\\":null}}\\n\"); _exit(0);";
    compile(&on_load(forged), &folder.join("forger.so"));
    compile(
        &plugin("closer", "for (int fd = 3; fd < 2000; fd++) close(fd);"),
        &folder.join("closer.so"),
    );
    let started = start(&registry, Duration::from_secs(60));
    // It ends by itself, or of the pipe that is closed before it by whoever does not believe it.
    assert_refused(&started, "forger.so", "s the process (");
    assert_refused(&started, "closer.so", "");
}

/// The story: a plugin that looked well to the probe and crashed when it was loaded a second time killed the server's start.
#[test]
#[ignore = "takes long"]
fn a_plugin_that_misbehaves_on_its_second_load_is_left_out() {
    for (body, here, in_trial) in [
        ("abort();", "signal 6", "signal 6"),
        ("*(volatile int *)8 = 1;", "signal 11", "signal 11"),
        ("exit(0);", "calling exit", "status 0"),
        ("for (;;) sleep(1000);", "longer than 10 s", "after 10 s"),
    ] {
        let registry = registry();
        let count = registry.folder.path().join("count");
        let folder = registry.plugins.clone().expect("a folder");
        compile(
            &plugin("twice", &from_the_second_time(&count, body)),
            &folder.join("second.so"),
        );
        let started = start(&registry, Duration::from_secs(60));
        assert_refused(&started, "second.so", here);
        assert_eq!(std::fs::read(&count).expect("a count").len(), 2, "loads of {body}");
        // The next start knows nothing of this one, and goes on as well.
        let started = start(&registry, Duration::from_secs(60));
        assert_refused(&started, "second.so", in_trial);
    }
}

/// Where one plugin has others tried one by one, those that change with each load change in any of them.
#[test]
fn plugins_that_misbehave_on_any_later_load_are_left_out() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    for number in 0..4 {
        let count = registry.folder.path().join(format!("count-{number}"));
        std::fs::write(&count, "x".repeat(number)).expect("a file");
        // The first of these misbehaves from the fifth load on, the last from the second.
        let body = from_the_second_time(&count, "")
            .replace("before > 0", "before >= 4")
            .replace("{  }", "{ abort(); }");
        compile(
            &plugin(&format!("later-{number}"), &body),
            &folder.join(format!("later_{number}.so")),
        );
    }
    compile(&on_load("abort();"), &folder.join("zz_crash.so"));
    for _ in 0..3 {
        let started = start(&registry, Duration::from_secs(60));
        assert_refused(&started, "zz_crash.so", "signal 6");
    }
    let started = start(&registry, Duration::from_secs(60));
    for number in 0..4 {
        assert_refused(&started, &format!("later_{number}.so"), "signal 6");
    }
}

/// A plugin that loads alone, and crashes where another one is loaded already.
#[test]
fn a_plugin_that_crashes_beside_another_is_left_out() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    let body = "FILE *maps = fopen(\"/proc/self/maps\", \"r\"); char line[4096]; \
                while (fgets(line, sizeof line, maps)) if (strstr(line, \"liblglp_plugin_encoders\")) abort(); fclose(maps);";
    compile(&plugin("jealous", body), &folder.join("zz_jealous.so"));
    let started = start(&registry, Duration::from_secs(60));
    assert_refused(&started, "zz_jealous.so", "though not alone");
}

/// The story: three plugins that hung cost 61 s.
#[test]
#[ignore = "takes long"]
fn plugins_that_hang_cost_seconds_together() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    for number in 0..6 {
        compile(
            &on_load("for (;;) sleep(1000);"),
            &folder.join(format!("hang_{number}.so")),
        );
    }
    let started = start(&registry, Duration::from_secs(45));
    for number in 0..6 {
        assert_refused(&started, &format!("hang_{number}.so"), "still loading after 10 s");
    }
}

/// The story: opening a FIFO waits for a writer, and none ever came.
#[test]
fn what_is_no_regular_file_is_listed_and_not_opened() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    let made = Command::new("mkfifo")
        .arg(folder.join("fifo.so"))
        .status()
        .expect("mkfifo");
    assert!(made.success());
    let _socket = UnixListener::bind(folder.join("socket.so")).expect("a socket");
    std::fs::create_dir(folder.join("folder.so")).expect("a folder");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.join(name)).expect("a link");
    link("/dev/zero", "device.so");
    link("nowhere", "dangling.so");
    link("loop.so", "loop.so");
    link("fifo.so", "link_to_fifo.so");
    let sparse = File::create(folder.join("sparse.so")).expect("a file");
    sparse.set_len(1 << 40).expect("a sparse file");
    // A link to a plugin is one.
    let real = registry.folder.path().join("real");
    compile(&plugin("linked", ""), &real);
    link(real.to_str().expect("UTF-8"), "linked.so");
    let started = start(&registry, Duration::from_secs(60));
    for (file, reason) in [
        ("fifo.so", "it is a FIFO"),
        ("link_to_fifo.so", "it is a FIFO"),
        ("socket.so", "it is a socket"),
        ("folder.so", "it is a folder"),
        ("device.so", "it is a device"),
        ("dangling.so", "No such file"),
        ("loop.so", "symbolic links"),
        ("sparse.so", "too large"),
    ] {
        assert_refused(&started, file, reason);
    }
    assert!(listed(&started.0, "linked.so")["unavailable"].is_null());
}

/// A file that was written to between the trial and the load was not the one that was tried. What is tried and loaded is a copy of
/// what was read: no plugin is another one in the process than in the trial, and the file has what was written.
#[test]
fn a_plugin_that_writes_to_its_file_is_loaded_as_it_was_tried() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    let file = folder.join("changing.so");
    let body = format!(
        "int fd = open(\"{}\", O_WRONLY | O_APPEND); if (fd >= 0) {{ if (write(fd, \"x\", 1) != 1) abort(); close(fd); }}",
        file.display()
    );
    compile(&plugin("changing", &body), &file);
    let started = start(&registry, Duration::from_secs(60));
    let loaded = listed(&started.0, "changing.so");
    assert!(loaded["unavailable"].is_null(), "{loaded}");
    assert!(
        std::fs::read(&file).expect("the file").ends_with(b"x"),
        "it was written to"
    );
    let written = Digest::of(&std::fs::read(&file).expect("the file"));
    assert_ne!(loaded["sha256"], written.as_str(), "and is not what runs");
}

/// What a plugin prints while it is loaded, and a child that it leaves behind, hold nothing up.
#[test]
#[ignore = "takes long"]
fn a_plugin_that_talks_without_end_and_leaves_children_behind_is_killed_with_them() {
    let registry = registry();
    let folder = registry.plugins.clone().expect("a folder");
    let talk = "for (;;) fprintf(stderr, \"still loading\\n\");";
    compile(&on_load(talk), &folder.join("talk.so"));
    let pid = registry.folder.path().join("pid");
    let parent = format!(
        "if (fork() == 0) {{ FILE *f = fopen(\"{}\", \"a\"); fprintf(f, \"%d\\n\", getpid()); fclose(f); for (;;) sleep(1000); }} abort();",
        pid.display()
    );
    compile(&on_load(&parent), &folder.join("parent.so"));
    let started = start(&registry, Duration::from_secs(45));
    assert_refused(&started, "talk.so", "still loading after 10 s: still loading");
    assert_refused(&started, "parent.so", "signal 6");
    for pid in std::fs::read_to_string(pid).unwrap_or_default().lines() {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z"), "{pid} is alive: {state}");
    }
}
