//! What a prediction consists of: over REST and on the command line.

use std::collections::BTreeMap;

use lglp_tests::{HARDWARE, Registry, readable, sample};
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
    assert_eq!(
        (&found["runtime"], &found["batch_size"]),
        (&json!("onnxruntime"), &json!(1))
    );
    for change in found["changes"].as_array().expect("a list") {
        let told = [change, &change["prediction"]].map(|of| of.get("interval").or(of.get("saving_interval")));
        let reasons = [
            change.get("no_saving_interval"),
            change["prediction"].get("no_interval"),
        ];
        assert!(told.iter().all(Option::is_some) && reasons == [None, None], "{change}");
    }
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

/// Of each single change of an architecture, by its words: what it saves, and the interval of that.
fn savings(found: &Value) -> BTreeMap<String, (f64, f64, f64)> {
    let number = |value: &Value| value.as_f64().expect("a number");
    let width = |prediction: &Value| {
        let interval = &prediction["interval"];
        number(&interval["high"]) - number(&interval["low"])
    };
    let changes = found["changes"].as_array().expect("a list").iter();
    changes
        .map(|change| {
            let (saving, interval) = (number(&change["saving"]), &change["saving_interval"]);
            let (low, high) = (number(&interval["low"]), number(&interval["high"]));
            assert!(low <= saving && saving <= high, "{change}");
            let whole = width(&found["prediction"]) + width(&change["prediction"]);
            assert!(
                high - low < whole,
                "less is known of the difference than of both: {change}"
            );
            (
                change["change"].as_str().expect("words").to_owned(),
                (saving, low, high),
            )
        })
        .collect()
}

/// A device that is known to take what a model predicts, measured with an error of 3 %: what changes save there is known, too.
#[test]
#[ignore = "takes long"]
fn savings_lie_in_their_intervals() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    let architectures = sample(300, 11);
    let body = json!({ "architectures": architectures }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{answer}");
    let predictions = answer["predictions"].as_array().expect("a list");

    let folder = registry.folder.path().join("dataset");
    let template = std::fs::read_to_string(folder.join("mobilenetv3.jsonl")).expect("a dataset");
    let template: Value = serde_json::from_str(template.lines().next().expect("a row")).expect("JSON");
    let target = std::fs::read_to_string(folder.join("hardware.json")).expect("a target");
    let twin = |text: String| text.replace(&format!("\"{HARDWARE}\""), "\"twin\"");
    let mut noise = 1u64;
    let rows = architectures.iter().zip(predictions).map(|(architecture, prediction)| {
        // The sum of four uniform numbers is nearly normal; its deviation is 3 %.
        let error: f64 = (0..4)
            .map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (noise >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .sum();
        let latency = prediction["latency_ms"].as_f64().expect("ms");
        let mut row = template.clone();
        row["architecture"] = json!(architecture);
        row["digest"] = json!(lglp_registry::Digest::of(architecture.as_bytes()));
        row["latency_ms"] = json!(latency * (1.0 + 0.03 * error * 3f64.sqrt()));
        twin(row.to_string())
    });
    let rows: Vec<String> = rows.collect();
    std::fs::write(folder.join("mobilenetv3.jsonl"), rows.join("\n")).expect("a file");
    std::fs::write(folder.join("hardware.json"), twin(target)).expect("a file");
    drop(server);
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    registry.ok(&["train", "--hardware", "twin", "--recipe", "additive"]);
    registry.ok(&["promote", "--hardware", "twin", "1"]);

    let server = registry.serve();
    let (mut held, mut all) = (0, 0);
    for architecture in sample(6, 5) {
        let explain = |hardware: &str| {
            let body = json!({ "architecture": architecture }).to_string();
            let (status, found) = server.post(&format!("/v1/{hardware}/explain"), &body);
            assert_eq!(status, 200, "{found}");
            savings(&found)
        };
        let (known, told) = (explain(HARDWARE), explain("twin"));
        assert_eq!(known.len(), told.len());
        for (change, (saving, ..)) in known {
            let (_, low, high) = told[&change];
            all += 1;
            held += usize::from((low..=high).contains(&saving));
        }
    }
    let share = 100.0 * f64::from(held as u32) / f64::from(all);
    assert!(all > 500 && (80.0..=99.5).contains(&share), "{share} % of {all} hold");
}

#[test]
fn an_explanation_can_be_looked_at() {
    let registry = Registry::with_production("additive");
    let file = registry.folder.path().join("explained.svg");
    let file = file.to_str().expect("UTF-8");
    let architecture = readable(320, 2, 5, 6).to_string();
    let explain = [
        "explain",
        "--hardware",
        HARDWARE,
        "--plot",
        file,
        "--changes",
        "7",
        &architecture,
    ];
    registry.ok(&explain);
    let drawn = std::fs::read_to_string(file).expect("a picture");
    let named = [
        "block 10, layer 2",
        "squeeze-excite",
        "the rest",
        "resolution: 320 to 160",
        "(logarithmic)",
        "error bars: 90 % interval",
    ];
    for text in named {
        assert!(drawn.contains(text), "{text} is not in the picture");
    }
    // The dots of seven changes.
    assert_eq!(drawn.matches("<circle").count(), 7);
    let missing = registry.folder.path().join("no/such/folder.svg");
    let missing = missing.to_str().expect("UTF-8");
    let said = registry.fails(&["explain", "--hardware", HARDWARE, "--plot", missing, &architecture]);
    assert!(said.contains("cannot write"), "{said}");
}
