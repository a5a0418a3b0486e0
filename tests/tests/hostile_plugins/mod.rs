//! Plugins that do harm, kind by kind, in processes of their own: each costs the request that it did so in, and nothing else. At load
//! none takes the server down, wherever it runs.

mod fits;
mod sandbox;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, Server, readable};
use serde_json::{Value, json};

/// Writes a plugin that does harm in a way; `name` is its file's, its plugin's, and the end of its components'.
fn hostile(folder: &Path, fault: &str, name: &str) {
    let source = include_str!("../../plugins/hostile.c");
    // The name of the fault is one of an enumeration in the source.
    let source = format!("#define FAULT {fault}\n#define NAME \"{name}\"\n{source}");
    compile(&source, &folder.join(format!("{name}.so")));
}

fn name_of(fault: &str) -> String {
    fault.to_lowercase().replace('_', "-")
}

/// A registry with a few measurements, the built plugins, and these.
fn with_hostile(faults: &[&str]) -> Registry {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    for fault in faults {
        hostile(&folder, fault, &name_of(fault));
    }
    registry.plugins = Some(folder);
    registry.import(60);
    registry
}

/// Writes the recipe of a plugin's components.
fn recipe(registry: &Registry, name: &str) {
    // Makes the folder.
    registry.command(&[]);
    let text = format!(
        "name = \"{name}\"\ntitle = \"Does harm\"\n\n[encoder]\nname = \"rows-{name}\"\n\n[regressor]\nname = \"mean-{name}\"\n"
    );
    std::fs::write(registry.folder.path().join(format!("recipes/{name}.toml")), text).expect("a file");
}

fn body(version: u64, is_harmful: bool) -> String {
    let one = match is_harmful {
        true => readable(1024, 4, 7, 6),
        false => readable(160, 1, 3, 3),
    };
    json!({ "model": version.to_string(), "architectures": [one] }).to_string()
}

fn predict(server: &Server, version: u64, is_harmful: bool) -> (u16, Value) {
    server.post(&format!("/v1/{HARDWARE}/predict"), &body(version, is_harmful))
}

const AT_LOAD: [(&str, &str); 14] = [
    ("ABORTS_AT_LOAD", "signal 6"),
    ("EXITS_AT_LOAD", "status 0"),
    ("SEGFAULTS_AT_LOAD", "signal 11"),
    ("HANGS_AT_LOAD", "still loading"),
    ("NEWER_VERSION", "built for plugin ABI"),
    ("OTHER_MAGIC", "magic"),
    ("NAME_IS_NO_TEXT", "not UTF-8"),
    ("ABORTS_IN_SCHEMA", "signal 6"),
    ("EXITS_IN_SCHEMA", "status 0"),
    ("HANGS_IN_SCHEMA", "still loading"),
    (
        "SCHEMA_EXPLODES",
        "more than 10000 values once its references are expanded",
    ),
    ("SCHEMA_IN_A_CIRCLE", "references that lead to themselves"),
    ("ABORTS_IN_CHECK", "signal 6"),
    ("HANGS_IN_CHECK", "still loading"),
];

/// One that hung at load delayed the start by a minute, and a named pipe in the folder by more than 90 s.
#[test]
#[ignore = "takes long"]
fn at_load_none_takes_the_server_down_wherever_it_runs() {
    let mut registry = Registry::with_production("linear");
    let folder = plugins_of(&registry);
    for (fault, _) in AT_LOAD {
        hostile(&folder, fault, &name_of(fault));
    }
    let made = Command::new("mkfifo")
        .arg(folder.join("pipe.so"))
        .status()
        .expect("mkfifo");
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", folder.join("device.so")).expect("a link");
    registry.plugins = Some(folder);
    for place in ["process", "in-process"] {
        registry.isolation = Some(place);
        let server = registry.serve();
        let (_, plugins) = server.get("/v1/plugins");
        for (fault, reason) in AT_LOAD {
            let plugin = listed(&plugins, &format!("{}.so", name_of(fault)));
            let said = plugin["unavailable"].as_str().unwrap_or_default();
            assert!(said.contains(reason), "{place}, {fault}: {plugin}");
        }
        for (file, reason) in [("pipe.so", "FIFO"), ("device.so", "a device")] {
            let said = listed(&plugins, file)["unavailable"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(said.contains(reason), "{place}, {file}: {said}");
        }
        let (status, answer) = predict(&server, 1, true);
        assert_eq!(status, 200, "{place}: {answer}");
        assert_eq!(server.terminate(), Some(0), "{place}");
    }
}

/// What a plugin does in a prediction, the status of that request, and what its problem says.
const IN_A_PREDICTION: [(&str, u16, &str); 20] = [
    ("ABORTS", 500, "signal 6"),
    ("EXITS", 500, "status 0"),
    ("SEGFAULTS", 500, "signal 11"),
    ("HANGS", 504, "has not come back within 1 s"),
    ("FREES_TWICE", 500, "signal 6"),
    ("WRITES_BEHIND", 0, ""),
    ("OVERFLOWS_ITS_STACK", 500, "signal 11"),
    ("TAKES_ALL_MEMORY", 500, "signal"),
    ("TAKES_MEMORY_UNCOUNTED", 500, "MiB of memory, and may take 512"),
    ("MAKES_THREADS", 500, "threads, and may have 512"),
    ("STOPS", 504, "has not come back within 1 s"),
    // The sandbox does not let it: it did no harm, and answers.
    ("KILLS_THE_HOST", 200, ""),
    ("FORKS", 200, ""),
    ("LEAVES_A_THREAD", 200, ""),
    ("CLOSES_ALL_FILES", 500, "plugin"),
    ("WRITES_TO_ALL_FILES", 500, "plugin"),
    ("NOT_A_NUMBER", 503, "predicts NaN"),
    // What lglp would read for ever, keep, or take for another's.
    ("REPORTS_IN_A_PREDICTION", 500, "says what it was not asked"),
    ("ANSWERS_ANOTHER", 500, "says what it was not asked"),
    ("ANNOUNCES_TOO_MUCH", 500, "announces a message of 16777216 bytes"),
];

/// One that segfaulted, aborted, exited or wrote out of bounds ended the server; after two requests that hung it answered no prediction
/// at all.
#[test]
fn in_a_prediction_it_costs_that_request_alone() {
    let registry = with_hostile(&IN_A_PREDICTION.map(|(fault, ..)| fault));
    registry.train("linear");
    for (fault, ..) in IN_A_PREDICTION {
        recipe(&registry, &name_of(fault));
        registry.train(&name_of(fault));
    }
    let settings = registry.folder.path().join("plugins.toml");
    std::fs::write(&settings, "[default]\nmemory_mib = 512\n").expect("a file");
    let server = registry.serve_with(&["--plugin-deadline", "1"]);
    let mut table = String::new();
    for (version, (fault, expected, says)) in (2..).zip(IN_A_PREDICTION) {
        let (status, answer) = predict(&server, version, false);
        assert_eq!(status, 200, "{fault} before: {answer}");
        let (status, answer) = predict(&server, version, true);
        let detail = answer["detail"].as_str().unwrap_or_default();
        // What is written far behind a tensor may or may not hit something.
        if expected > 0 {
            assert_eq!(status, expected, "{fault}: {answer}");
            assert!(detail.contains(says), "{fault}: {answer}");
        }
        if status == 500 {
            assert!(detail.contains(&name_of(fault)), "{fault} is not named: {answer}");
        }
        writeln!(table, "{fault}: {status} {detail}").expect("a line");
        // Others do not notice.
        let (status, answer) = predict(&server, 1, true);
        assert_eq!(status, 200, "beside {fault}: {answer}");
        // Nor does the plugin itself, once what hung is over.
        server.wait_answered(&format!("/v1/{HARDWARE}/predict"), &body(version, false), fault);
    }
    eprintln!("{table}");
    let (_, plugins) = server.get("/v1/plugins");
    let segfaults = listed(&plugins, "segfaults.so");
    assert_eq!(
        (&segfaults["isolation"], &segfaults["lost_processes"]),
        (&json!("process"), &json!(1)),
        "{segfaults}"
    );
    assert_eq!(
        listed(&plugins, "liblglp_plugin_classical.so")["isolation"],
        "in-process"
    );
    let (_, metrics) = server.get("/metrics");
    let metrics = metrics.as_str().expect("text");
    assert!(
        metrics.contains("lglp_plugin_processes_lost{plugin=\"segfaults\"} 1"),
        "{metrics}"
    );
    assert_eq!(server.terminate(), Some(0));
}

/// A crash is no reason to leave a version alone, but crash after crash is; others are predicted meanwhile.
#[test]
fn what_fails_again_and_again_is_left_alone_for_a_while() {
    let registry = with_hostile(&["ABORTS"]);
    registry.train("linear");
    recipe(&registry, "aborts");
    registry.train("aborts");
    let server = registry.serve();
    let mut last = json!(null);
    for _ in 0..6 {
        last = predict(&server, 2, true).1;
    }
    assert_eq!(last["type"], "urn:lglp:problem:version-quarantined", "{last}");
    let detail = last["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("5 failures in a row") && detail.contains("signal 6") && detail.contains("tried again in"),
        "{detail}"
    );
    let (_, ready) = server.get("/readyz");
    assert!(
        ready["quarantined"].to_string().contains("failures in a row"),
        "{ready}"
    );
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.as_str().expect("text").contains("lglp_versions_quarantined 1"));
    assert_eq!(predict(&server, 1, true).0, 200);
    server.wait_answered(&format!("/v1/{HARDWARE}/predict"), &body(2, false), "aborts");
}
