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
            assert!(text.contains("hanging"), "{text}");
        }
        let (status, problem) = predict(&server, "2", 1);
        assert_eq!((status, kind(&problem)), (503, "plugin-quarantined"), "{problem}");
        for rows in [1, 1000] {
            let (status, answer) = predict(&server, "production", rows);
            assert_eq!(status, 200, "{call}: {answer}");
        }
        let (_, ready) = server.get("/readyz");
        assert!(ready["quarantined"].to_string().contains("hanging"), "{ready}");
        assert_eq!(metric(&server, "lglp_plugins_quarantined"), "1");
        let (_, listed) = server.get("/v1/plugins");
        let plugins = listed["plugins"].as_array().expect("plugins");
        let told = plugins
            .iter()
            .filter(|plugin| plugin["quarantined"].is_string())
            .count();
        assert_eq!(told, 1, "{listed}");
        // It comes back after all, and is used again.
        hanging.let_go(call);
        let began = Instant::now();
        while predict(&server, "2", 1).0 != 200 {
            assert!(began.elapsed() < Duration::from_secs(20), "{call}: still in quarantine");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(metric(&server, "lglp_plugins_quarantined"), "0");
    }
}

#[test]
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
