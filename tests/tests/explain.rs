//! What a prediction consists of: over REST and on the command line.

use lglp_tests::{HARDWARE, Registry, readable};
use serde_json::{Value, json};

fn sum(parts: &Value, field: &str) -> f64 {
    let parts = parts.as_array().expect("a list").iter();
    parts.map(|part| part[field].as_f64().expect("a number")).sum()
}

#[test]
fn parts_sum_to_the_prediction_and_changes_are_predictions() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    let architecture = readable(320, 2, 5, 6);
    let predicted = |architecture: &Value| {
        let body = json!({ "architectures": [architecture] }).to_string();
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
        assert_eq!(status, 200, "{answer}");
        answer["predictions"][0]["latency_ms"].as_f64().expect("ms")
    };
    let body = json!({ "architecture": architecture }).to_string();
    let (status, found) = server.post(&format!("/v1/{HARDWARE}/explain"), &body);
    assert_eq!(status, 200, "{found}");
    let whole = predicted(&architecture);
    assert_eq!(found["prediction"]["latency_ms"], json!(whole));
    let rest = found["rest"].as_f64().expect("a number");
    assert!((sum(&found["operators"], "value") + rest - whole).abs() < 1e-9 * whole);
    assert!((sum(&found["operators"], "share") + rest / whole - 1.0).abs() < 1e-9);
    // Twenty layers, and what surrounds them.
    assert_eq!(found["layers"].as_array().map(Vec::len), Some(20));
    let searched = found["operators"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|part| part["block"] != 0);
    let searched: f64 = searched.map(|part| part["value"].as_f64().expect("a number")).sum();
    assert!((sum(&found["layers"], "value") - searched).abs() < 1e-9 * whole);

    let changes = found["changes"].as_array().expect("a list");
    let savings: Vec<f64> = changes
        .iter()
        .map(|change| change["saving"].as_f64().expect("a number"))
        .collect();
    assert!(savings.is_sorted_by(|a, b| a >= b), "{savings:?}");
    let words: Vec<&str> = changes
        .iter()
        .map(|change| change["change"].as_str().expect("words"))
        .collect();
    for wanted in [
        "resolution: 320 to 160",
        "kernel of layer 2 of block 3: 5 to 3",
        "depth of block 1: 2 to 3",
        "expansion of layer 1 of block 10: 6 to 4",
    ] {
        assert!(words.contains(&wanted), "{wanted} is not in {words:?}");
    }
    // The first, the last and one in between are what is predicted of those architectures.
    for change in [&changes[0], &changes[changes.len() / 2], &changes[changes.len() - 1]] {
        let saving = change["saving"].as_f64().expect("a number");
        assert!(
            (whole - predicted(&change["architecture"]) - saving).abs() < 1e-9 * whole,
            "{change}"
        );
    }
    drop(server);
    // The same without a server.
    let own = registry.json(&["explain", "--hardware", HARDWARE, &architecture.to_string()]);
    assert_eq!(own["operators"], found["operators"]);
    let shown = registry.ok(&["explain", "--hardware", HARDWARE, &architecture.to_string()]);
    assert!(
        shown.contains("resolution: 320 to 160") && shown.contains('#'),
        "{shown}"
    );
}

#[test]
fn what_cannot_be_explained_says_why() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/explain");
    let body = |architecture: Value| json!({ "architecture": architecture }).to_string();
    let (status, answer) = server.post(&path, &body(readable(320, 2, 3, 3)));
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/model")),
        "{answer}"
    );
    assert!(
        answer["errors"][0]["detail"]
            .as_str()
            .is_some_and(|why| why.contains("`linear`") && why.contains("`additive`"))
    );
    let mut wrong = readable(320, 2, 3, 3);
    wrong["resolution"] = json!(321);
    let (status, answer) = server.post(&path, &body(wrong));
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/architecture/resolution")),
        "{answer}"
    );
}
