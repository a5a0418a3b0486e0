//! Plugins that are broken in every way that plugins are: the server goes on, and says what happened.

use std::io::Write as _;

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, readable, release, sample};
use serde_json::{Value, json};

/// The story: a panic that crosses `extern "C"` aborts the process, and one broken regressor would take every model of
/// every hardware target down with it.
#[test]
fn a_panic_in_predict_fails_that_request_alone() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let file = "liblglp_plugin_panicking.so";
    std::fs::copy(release().join(file), folder.join(file)).expect("`make build` builds it");
    registry.plugins = Some(folder);
    registry.isolation = Some("in-process");
    registry.import(60);
    registry.train("panics");
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/predict");
    let harmless = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    let harmful = json!({ "architectures": [readable(1024, 4, 7, 6)] }).to_string();
    for _ in 0..3 {
        let (status, answer) = server.post(&path, &harmless);
        assert_eq!(status, 200, "{answer}");
        let (status, problem) = server.post(&path, &harmful);
        assert_eq!(
            (status, &problem["type"]),
            (500, &json!("urn:lglp:problem:plugin-panicked"))
        );
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("panics-above") && detail.contains("is above 925"),
            "{detail}"
        );
    }
    let (status, answer) = server.post(&path, &harmless);
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_plugin_that_crashes_while_loading_is_listed_and_nothing_else_happens() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    compile(
        "#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n",
        &folder.join("crashing.so"),
    );
    compile("int nothing_of_lglp = 1;\n", &folder.join("foreign.so"));
    std::fs::write(folder.join("text.so"), "this is no library").expect("a file");
    std::fs::copy(folder.join("liblglp_plugin_encoders.so"), folder.join("twice.so")).expect("a copy");
    registry.plugins = Some(folder);
    registry.isolation = Some("in-process");
    let server = registry.serve();
    let (status, plugins) = server.get("/v1/plugins");
    assert_eq!(status, 200);
    for (file, reason) in [
        ("crashing.so", "kills the process (signal 6)"),
        ("foreign.so", "no symbol `lglp_plugin`"),
        ("text.so", "text.so"),
        ("twice.so", "already provided by the plugin `lglp-plugin-encoders`"),
    ] {
        let plugin = listed(&plugins, file);
        let said = plugin["unavailable"].as_str().expect("a reason");
        assert!(
            said.contains(reason) && plugin["description"].is_null(),
            "{file}: {said}"
        );
    }
    let encoders = listed(&plugins, "liblglp_plugin_encoders.so");
    assert!(encoders["unavailable"].is_null());
    assert_eq!(encoders["description"]["components"].as_array().map(Vec::len), Some(7));
}

#[test]
fn without_native_libraries_their_plugins_say_so_and_the_rest_works() {
    let registry = Registry::with_production("lightgbm");
    let nowhere = registry.folder.path().join("nowhere");
    let mut command = registry.command(&["plugins", "--json"]);
    let output = command.env("LGLP_NATIVE", &nowhere).output().expect("the program runs");
    let plugins: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for (plugin, library) in [("lightgbm", "lib_lightgbm.so"), ("onnxruntime", "libonnxruntime.so")] {
        let plugin = listed(&plugins, &format!("liblglp_plugin_{plugin}.so"));
        let said = plugin["unavailable"].as_str().expect("a reason");
        assert!(said.contains(library) && said.contains("make native"), "{said}");
    }
    assert!(listed(&plugins, "liblglp_plugin_encoders.so")["unavailable"].is_null());
    // Commands that need no such library work, and those that do name the reason.
    let run = |arguments: &[&str]| {
        let mut command = registry.command(arguments);
        command.env("LGLP_NATIVE", &nowhere).output().expect("the program runs")
    };
    assert!(run(&["models", "--hardware", HARDWARE]).status.success());
    assert!(run(&["sample", "--space", "mobilenetv3"]).status.success());
    // LSTMs are served without libtorch, and not trained.
    for (recipe, library) in [
        ("lightgbm", "lib_lightgbm.so"),
        ("lstm-1", "libtorch_cpu.so is missing"),
    ] {
        let train = run(&["train", "--hardware", HARDWARE, "--recipe", recipe]);
        let said = String::from_utf8_lossy(&train.stderr).into_owned();
        assert!(!train.status.success() && said.contains(library), "{said}");
    }
}

/// A new build was copied over a plugin that a server had open: the pages of the old one changed under it, and it died without a
/// word.
#[test]
fn a_build_that_is_copied_over_a_plugin_changes_nothing_before_the_next_start() {
    let mut registry = Registry::with_production("linear");
    let folder = plugins_of(&registry);
    registry.plugins = Some(folder.clone());
    let server = registry.serve();
    let (path, asked) = (
        format!("/v1/{HARDWARE}/predict"),
        json!({ "architectures": sample(3, 5) }).to_string(),
    );
    let before = server.post(&path, &asked).1["predictions"].clone();
    for file in std::fs::read_dir(&folder).expect("plugins") {
        let path = file.expect("a file").path();
        let length = std::fs::metadata(&path).expect("a plugin").len();
        // In place, as `cp` writes: the same file gets another content.
        let mut written = std::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&path)
            .expect("a plugin");
        written.write_all(&vec![0xCC; length as usize]).expect("written over");
    }
    for _ in 0..3 {
        let (status, answer) = server.post(&path, &asked);
        assert_eq!((status, &answer["predictions"]), (200, &before));
    }
    // Code that was not run before, too.
    assert_eq!(server.get("/v1/plugins").0, 200);
    let trained = json!({ "kind": "train", "parameters": { "recipe": "gbdt" } }).to_string();
    let (status, job) = server.post(&format!("/v1/{HARDWARE}/jobs"), &trained);
    assert_eq!(status, 202, "{job}");
    let ended = server.wait(&format!("/v1/jobs/{}", job["id"]), |job| {
        !["queued", "running"].contains(&job["state"].as_str().unwrap_or_default())
    });
    assert_eq!(ended["state"], "succeeded", "{ended}");
}
