//! Plugins that do not come back.

use std::time::{Duration, Instant};

use lglp_tests::hanging::Hanging;
use lglp_tests::raw::{answer, post};
use lglp_tests::{HARDWARE, Server, sample};
use serde_json::{Value, json};

const PREDICT: &str = "/v1/xeon-1t/predict";
const DEADLINE: [&str; 2] = ["--plugin-deadline", "1"];

fn predict(server: &Server, model: &str, rows: usize) -> (u16, Value) {
    let body = json!({ "architectures": sample(rows, 3), "model": model });
    server.post(PREDICT, &body.to_string())
}

fn kind(problem: &Value) -> &str {
    let kind = problem["type"].as_str().expect("a type");
    kind.rsplit(':').next().expect("a last part")
}

fn metric(server: &Server, name: &str) -> String {
    let metrics = server.get("/metrics").1;
    let text = metrics.as_str().expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.expect("the metric").trim().to_owned()
}

/// Version 1 is another plugin's and in production; version 2 hangs.
fn both() -> Hanging {
    let hanging = Hanging::default();
    hanging.train_healthy();
    hanging.train(0.0);
    hanging.promote(1, "production");
    hanging.promote(2, "candidate");
    hanging
}

/// The story: two calls that hung in `predict` on two cores stopped production, while `/healthz` said that all was well.
#[test]
#[ignore = "takes long"]
fn production_goes_on_while_another_plugin_hangs() {
    for call in ["predict", "spin", "encode"] {
        let hanging = both();
        let server = hanging.registry.serve_with(&DEADLINE);
        assert_eq!(predict(&server, "2", 1).0, 200);
        hanging.hang(call);
        let body = json!({ "architectures": sample(1, 3), "model": "2" }).to_string();
        let mut clients: Vec<_> = (0..4).map(|_| post(&server, PREDICT, "", body.as_bytes())).collect();
        for client in &mut clients {
            let (status, text) = answer(client);
            assert!([503, 504].contains(&status), "{call}: {status} {text}");
            assert!(text.contains("version 2 of `xeon-1t`"), "{text}");
        }
        let (status, problem) = predict(&server, "2", 1);
        assert_eq!((status, kind(&problem)), (503, "version-quarantined"), "{problem}");
        assert!(
            problem["detail"].to_string().contains("version 2 of `xeon-1t`"),
            "{problem}"
        );
        for rows in [1, 1000] {
            let (status, answer) = predict(&server, "production", rows);
            assert_eq!(status, 200, "{call}: {answer}");
        }
        let (_, ready) = server.get("/readyz");
        assert!(ready["quarantined"].to_string().contains("version 2"), "{ready}");
        assert_eq!(metric(&server, "lglp_versions_quarantined"), "1");
        // It may be the version that is at fault, however many cores it keeps.
        assert_eq!(plugins_in_quarantine(&server), 0);
        // It comes back after all, and is used again.
        hanging.let_go(call);
        let began = Instant::now();
        while predict(&server, "2", 1).0 != 200 {
            assert!(began.elapsed() < Duration::from_secs(20), "{call}: still in quarantine");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(metric(&server, "lglp_versions_quarantined"), "0");
    }
}

fn plugins_in_quarantine(server: &Server) -> usize {
    let (_, listed) = server.get("/v1/plugins");
    let plugins = listed["plugins"].as_array().expect("plugins");
    let told = plugins.iter().filter(|plugin| plugin["quarantined"].is_string());
    let told = told.count();
    assert_eq!(metric(server, "lglp_plugins_quarantined"), told.to_string());
    told
}

/// The story: one version that hung put its plugin into quarantine, and with it every target whose versions the plugin
/// serves. Only where several versions hang in it is it the plugin.
#[test]
#[ignore = "takes long"]
fn a_version_that_hangs_leaves_others_of_its_plugin_alone() {
    let hanging = Hanging::default();
    for folder in ["a", "b", "c", "d"] {
        hanging.train_apart(0.0, folder);
    }
    hanging.promote(4, "production");
    let server = hanging.registry.serve_with(&DEADLINE);
    for version in ["1", "2", "3"] {
        assert_eq!(predict(&server, version, 1).0, 200);
    }
    let cores = std::thread::available_parallelism().expect("cores").get();
    let several = cores.min(3);
    for (hung, (version, folder)) in (1..=several).zip([("1", "a"), ("2", "b"), ("3", "c")]) {
        assert_eq!(plugins_in_quarantine(&server), 0);
        let (status, answer) = predict(&server, "production", 100);
        assert_eq!(status, 200, "after {hung}: {answer}");
        hanging.hang(&format!("{folder}/predict"));
        let (status, problem) = predict(&server, version, 1);
        assert_eq!((status, kind(&problem)), (504, "plugin-overdue"), "{problem}");
    }
    assert_eq!(plugins_in_quarantine(&server), 1, "{several} versions hang");
    let (status, problem) = predict(&server, "production", 1);
    assert_eq!((status, kind(&problem)), (503, "plugin-quarantined"), "{problem}");
    // One fewer is none too many.
    hanging.let_go("a/predict");
    let began = Instant::now();
    while predict(&server, "production", 1).0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "still in quarantine");
        std::thread::sleep(Duration::from_millis(100));
    }
    for folder in ["b", "c"] {
        let _ = std::fs::remove_file(
            hanging
                .registry
                .folder
                .path()
                .join("switches")
                .join(folder)
                .join("predict"),
        );
    }
}

#[test]
#[ignore = "takes long"]
fn a_canary_that_hangs_leaves_the_answer_to_production() {
    let hanging = both();
    let server = hanging.registry.serve_with(&DEADLINE);
    let traffic =
        json!({ "canary": { "alias": "candidate", "share": 0.5 }, "shadow": { "alias": "candidate", "share": 1.0 } });
    let (status, set) = server.call(
        "PUT",
        "/v1/xeon-1t/traffic",
        &[("If-Match", "\"0\"")],
        Some(&traffic.to_string()),
    );
    assert_eq!(status, 200, "{set}");
    let versions = |answer: &Value| -> Vec<Value> {
        let predictions = answer["predictions"].as_array().expect("predictions");
        predictions
            .iter()
            .map(|prediction| prediction["version"].clone())
            .collect()
    };
    let (status, before) = predict(&server, "production", 200);
    assert_eq!(status, 200, "{before}");
    assert!(versions(&before).contains(&json!(2)));
    hanging.hang("predict");
    for rows in [200, 20] {
        let (status, answer) = predict(&server, "production", rows);
        assert_eq!(status, 200, "{answer}");
        assert!(
            versions(&answer).iter().all(Value::is_null),
            "production answers: {answer}"
        );
    }
}

/// The sibling: a version whose state takes for ever to read stopped the loader, and every promotion with it.
#[test]
#[ignore = "takes long"]
fn a_version_that_hangs_while_it_loads_stops_no_other() {
    let hanging = both();
    hanging.train_healthy();
    hanging.hang("load");
    let server = hanging.registry.serve_with(&DEADLINE);
    let promote = |alias: &str, version: u64| {
        let path = format!("/v1/{HARDWARE}/aliases/{alias}");
        let body = json!({ "version": version }).to_string();
        server.call("PUT", &path, &[("If-Match", "\"0\"")], Some(&body))
    };
    let began = Instant::now();
    let (status, problem) = promote("later", 2);
    assert!([503, 504].contains(&status), "{status} {problem}");
    let (status, moved) = promote("other", 3);
    assert_eq!(status, 200, "{moved}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(predict(&server, "3", 1).0, 200);
    assert_eq!(predict(&server, "production", 1).0, 200);
}
