//! Lineage and diff, each checked against what the test reckons itself from other calls.

use std::collections::{BTreeMap, BTreeSet};

use lglp_registry::Digest;
use lglp_tests::{HARDWARE, Registry, Server};
use serde_json::{Value, json};

fn get(server: &Server, path: &str) -> Value {
    let (status, answer) = server.get(&format!("/v1/{HARDWARE}/{path}"));
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// Posts JSON below the hardware target.
fn post(server: &Server, path: &str, body: &Value) {
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/{path}"), &body.to_string());
    assert!((200..300).contains(&status), "{path}: {answer}");
}

fn promote(server: &Server, version: u32, generation: u32, actor: &str, reason: &str) {
    let body = json!({ "version": version, "actor": actor, "reason": reason }).to_string();
    let path = format!("/v1/{HARDWARE}/aliases/production");
    let (status, answer) = server.call("PUT", &path, &[("If-Match", &format!("\"{generation}\""))], Some(&body));
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_lineage_leads_from_the_version_to_its_data_its_plugins_and_who_promoted_it() {
    let registry = Registry::default();
    registry.import(120);
    for seed in ["0", "1"] {
        registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", seed]);
    }
    let served = registry.serve();
    promote(&served, 1, 0, "ann", "the first");
    promote(&served, 2, 1, "bob", "better on deep ones");
    promote(&served, 1, 2, "cem", "roll back");
    let lineage = get(&served, "models/1/lineage");
    let version = get(&served, "models/1");
    let content = &version["content"];
    for field in ["version", "digest", "created_at"] {
        assert_eq!(lineage[field], version[field], "{field}");
    }
    for field in ["recipe", "seed", "metrics", "creator"] {
        assert_eq!(lineage[field], content[field], "{field}");
    }
    let mut dataset = get(&served, "datasets")[0].clone();
    assert_eq!(lineage["dataset"], dataset);
    assert_eq!(
        (&dataset["digest"].take(), &dataset["rows"]),
        (&content["dataset"], &json!(120))
    );
    assert_eq!(lineage["dataset_frozen_by"], content["creator"]);
    assert_eq!(lineage["split"], json!({ "train": 96, "validation": 12, "test": 12 }));
    assert_eq!(lineage["imported"], json!([]));
    assert_eq!(lineage["aliases"], json!(["production"]));
    for (traced, used) in lineage["plugins"]
        .as_array()
        .expect("plugins")
        .iter()
        .zip(content["plugins"].as_array().expect("plugins"))
    {
        assert_eq!((&traced["fitted_with"], &traced["state"]), (used, &json!("same")));
        assert_eq!(traced["loaded_sha256"], used["sha256"]);
    }
    let history: Vec<Value> = lineage["history"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            json!([
                entry["kind"],
                entry["actor"],
                entry["reason"],
                entry["from"],
                entry["to"]
            ])
        })
        .collect();
    let creator = &content["creator"];
    assert_eq!(
        json!(history),
        json!([
            ["created", creator, null, null, null],
            ["alias-came", "ann", "the first", null, null],
            ["alias-left", "bob", "better on deep ones", null, 2],
            ["alias-came", "cem", "roll back", 2, null],
        ])
    );
    // Every entry is one of the audit log.
    let audit = served.get("/v1/audit?limit=1000").1;
    for entry in lineage["history"].as_array().expect("entries") {
        let of_log = &audit[entry["sequence"].as_u64().expect("a number") as usize - 1];
        assert_eq!((&of_log["at"], &of_log["actor"]), (&entry["at"], &entry["actor"]));
    }
    assert_eq!(get(&served, "models/2/lineage")["aliases"], json!([]));

    let arguments = ["models", "lineage", "--hardware", HARDWARE, "1"];
    let said = registry.ok(&arguments);
    for part in [
        "gbdt",
        "120 architectures of mobilenetv3",
        "loaded here",
        "by cem: roll back",
        "moved on to version 2 by bob",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let over_http = registry.json(&arguments);
    assert_eq!(over_http, lineage);
    let (status, problem) = served.get(&format!("/v1/{HARDWARE}/models/9/lineage"));
    assert_eq!(
        (status, problem["type"].as_str()),
        (404, Some("urn:lglp:problem:unknown-version"))
    );
    drop(served);
    assert_eq!(registry.json(&arguments), lineage, "without a server it is the same");
}

/// Leaves of a JSON value by their pointers.
fn leaves(value: &Value, pointer: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(k, v)| leaves(v, &format!("{pointer}/{k}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(k, v)| leaves(v, &format!("{pointer}/{k}"), found)),
        leaf => drop(found.insert(pointer.to_owned(), leaf.clone())),
    }
}

fn numbers(values: &Value, field: &str) -> Vec<f64> {
    let values = values.as_array().expect("an array").iter();
    values.map(|value| value[field].as_f64().expect("a number")).collect()
}

/// Spearman's coefficient: Pearson's of the ranks, equal values at the mean of theirs.
fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let rank = |x: &f64| {
            let below = values.iter().filter(|v| *v < x).count();
            let equal = values.iter().filter(|v| *v == x).count();
            below as f64 + (equal as f64 + 1.0) / 2.0
        };
        values.iter().map(rank).collect()
    };
    // Ranks have the mean (n + 1) / 2, with ties or without.
    let middle = (a.len() as f64 + 1.0) / 2.0;
    let (a, b) = (ranks(a), ranks(b));
    let product = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum() };
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

fn close(a: &Value, b: f64) {
    let a = a.as_f64().expect("a number");
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}

#[test]
fn a_diff_is_what_both_versions_and_their_predictions_differ_in() {
    let registry = Registry::default();
    registry.import(120);
    let server = registry.serve();
    let train = |recipe: &str, seed: &str, space: &str| {
        registry.json(&[
            "train",
            "--hardware",
            HARDWARE,
            "--recipe",
            recipe,
            "--seed",
            seed,
            "--space",
            space,
        ])
    };
    let first = train("trees-per-mac", "0", "mobilenetv3");
    // Twenty more rows, and one that counts with another latency since.
    registry.import(140);
    let measured = get(&server, "measurements?space=mobilenetv3");
    let mut relabelled = measured[5].clone();
    let before_ms = relabelled["latency_ms"].as_f64().expect("ms");
    relabelled["round"] = json!(9);
    relabelled["measured_at"] = json!("2026-01-01T00:00:00Z");
    relabelled["latency_ms"] = json!(2.0 * before_ms);
    post(&server, "measurements", &json!([relabelled]));
    let mark = json!({
        "space": "mobilenetv3", "digest": relabelled["digest"], "round": 0, "reason": "an outlier", "evidence": {},
    });
    post(&server, "exclusions", &json!({ "actor": "ann", "exclusions": [mark] }));
    let second = train("gbdt", "3", "mobilenetv3");

    let diff = get(&server, "models/1/diff/2?count=300&top=300&seed=0");
    assert_eq!(
        (&diff["a"]["digest"], &diff["b"]["digest"]),
        (&first["digest"], &second["digest"])
    );
    assert_eq!((&diff["a"]["seed"], &diff["b"]["seed"]), (&json!(0), &json!(3)));

    let recipes = [&first, &second].map(|version| {
        let mut found = BTreeMap::new();
        leaves(&version["content"]["recipe"], "", &mut found);
        found
    });
    let pointers: BTreeSet<&String> = recipes[0].keys().chain(recipes[1].keys()).collect();
    let expected: Vec<Value> = pointers
        .into_iter()
        .filter(|pointer| recipes[0].get(*pointer) != recipes[1].get(*pointer))
        .map(|pointer| json!([pointer, recipes[0].get(pointer), recipes[1].get(pointer)]))
        .collect();
    let found = diff["recipe"].as_array().expect("places").iter();
    let found: Vec<Value> = found.map(|d| json!([d["pointer"], d["a"], d["b"]])).collect();
    assert_eq!(found, expected);
    assert!(
        expected.iter().any(|d| d[0] == "/regressor/name" && d[2] == "gbdt"),
        "{expected:?}"
    );

    let plugin = |version: &Value| version["content"]["plugins"][1].clone();
    assert_eq!(
        diff["plugins"],
        json!([{ "kind": "regressor", "a": plugin(&first), "b": plugin(&second) }]),
        "the encoder is of the same plugin"
    );

    let data = &diff["data"];
    assert_eq!(
        [&data["only_a"], &data["only_b"], &data["both"], &data["relabelled"]],
        [&json!(0), &json!(20), &json!(120), &json!(1)]
    );
    let row = json!({ "architecture": relabelled["architecture"], "a_ms": before_ms, "b_ms": 2.0 * before_ms });
    assert_eq!(data["most_relabelled"], json!([row]));
    let tested = [&first, &second].map(|version| {
        let (_, text) = server.get(&format!(
            "/v1/blobs/{}",
            version["content"]["dataset"].as_str().expect("a digest")
        ));
        let rows: Vec<Value> = text
            .as_str()
            .expect("text")
            .lines()
            .map(|l| serde_json::from_str(l).expect("JSON"))
            .collect();
        let test = version["content"]["split"]["test"].as_array().expect("rows").iter();
        test.map(|at| rows[at.as_u64().expect("a row") as usize]["architecture"].to_string())
            .collect::<BTreeSet<_>>()
    });
    assert_eq!(
        data["tested_on_both"],
        json!(tested[0].intersection(&tested[1]).count())
    );

    for metric in diff["metrics"].as_array().expect("metrics") {
        let of = |version: &Value| version["content"]["metrics"][metric["name"].as_str().expect("a name")].clone();
        assert_eq!((&metric["a"], &metric["b"]), (&of(&first), &of(&second)));
        close(
            &metric["difference"],
            of(&second).as_f64().expect("a number") - of(&first).as_f64().expect("a number"),
        );
    }
    assert_eq!(diff["metrics"].as_array().map(Vec::len), Some(14));

    // The same architectures, drawn and predicted by other commands.
    let drawn = registry.ok(&["sample", "--space", "mobilenetv3", "--count", "300", "--seed", "0"]);
    let drawn: Vec<&str> = drawn.lines().collect();
    let predict = |version: u32| {
        let body = json!({ "architectures": drawn, "model": version }).to_string();
        let answer = server.post(&format!("/v1/{HARDWARE}/predict"), &body).1;
        numbers(&answer["predictions"], "latency_ms")
    };
    let (a, b) = (predict(1), predict(2));
    let relative: Vec<f64> = a
        .iter()
        .zip(&b)
        .map(|(a, b)| 2.0 * (a - b).abs() / (a.abs() + b.abs()))
        .collect();
    let predictions = &diff["predictions"];
    assert_eq!(diff["not_compared"], Value::Null);
    close(
        &predictions["mean_relative_difference"],
        relative.iter().sum::<f64>() / 300.0,
    );
    close(
        &predictions["max_relative_difference"],
        relative.iter().copied().fold(0.0, f64::max),
    );
    let labels: BTreeMap<&str, f64> = measured
        .as_array()
        .expect("measurements")
        .iter()
        .map(|m| {
            (
                m["architecture"].as_str().expect("text"),
                m["latency_ms"].as_f64().expect("ms"),
            )
        })
        .chain([(relabelled["architecture"].as_str().expect("text"), 2.0 * before_ms)])
        .collect();
    let rows = predictions["most_different"].as_array().expect("rows");
    let mut measured_rows = 0;
    for row in rows {
        let at = drawn
            .iter()
            .position(|text| row["architecture"] == *text)
            .expect("one of those that were drawn");
        assert_eq!((row["a_ms"].as_f64(), row["b_ms"].as_f64()), (Some(a[at]), Some(b[at])));
        close(&row["relative_difference"], relative[at]);
        assert_eq!(row["measured_ms"].as_f64(), labels.get(drawn[at]).copied(), "{row}");
        measured_rows += usize::from(row["measured_ms"].is_number());
    }
    assert!(
        rows.len() == 300 && measured_rows > 0,
        "{measured_rows} of them were measured"
    );
    let order = numbers(&predictions["most_different"], "relative_difference");
    assert!(order.is_sorted_by(|x, y| x >= y), "the worst come first");
    close(&predictions["spearman"], spearman(&a, &b));
    let top = get(&server, "models/1/diff/2?count=300&top=7&seed=0");
    assert_eq!(top["predictions"]["most_different"], json!(rows[..7]));

    // The other way round, with a command, and without a server.
    let arguments = [
        "models",
        "diff",
        "--hardware",
        HARDWARE,
        "2",
        "1",
        "--count",
        "300",
        "--top",
        "7",
    ];
    let there = registry.json(&arguments);
    assert_eq!(there["predictions"]["spearman"], top["predictions"]["spearman"]);
    assert_eq!(there["predictions"]["most_different"][0]["a_ms"], rows[0]["b_ms"]);
    let said = registry.ok(&arguments);
    for part in [
        "/regressor/name",
        "mape",
        "20 only in A",
        "on 300 architectures (seed 0)",
        rows[0]["architecture"].as_str().expect("text"),
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }

    // Versions of two spaces differ in everything but what they predict for the same.
    let text = registry.ok(&["sample", "--space", "ofa-mobilenetv3", "--count", "40"]);
    let foreign: Vec<Value> = text
        .lines()
        .enumerate()
        .map(|(at, architecture)| {
            let mut measurement = measured[at].clone();
            measurement["space"] = json!("ofa-mobilenetv3");
            measurement["space_definition"] = json!(null);
            measurement["architecture"] = json!(architecture);
            measurement["digest"] = json!(Digest::of(architecture.as_bytes()));
            measurement
        })
        .collect();
    post(&server, "measurements", &json!(foreign));
    train("gbdt", "0", "ofa-mobilenetv3");
    let spaces = get(&server, "models/1/diff/3?count=10");
    assert_eq!(spaces["predictions"], Value::Null);
    let why = spaces["not_compared"].as_str().expect("a reason");
    assert!(
        why.contains("`mobilenetv3`") && why.contains("`ofa-mobilenetv3`"),
        "{why}"
    );
    assert_eq!(spaces["data"]["both"], json!(0));
    for count in [0, 10_001] {
        let (status, problem) = server.get(&format!("/v1/{HARDWARE}/models/1/diff/2?count={count}"));
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!("/count")),
            "{problem}"
        );
    }
    assert_eq!(server.get(&format!("/v1/{HARDWARE}/models/1/diff/9")).0, 404);
    drop(server);
    assert_eq!(registry.json(&arguments), there, "without a server it is the same");
}
