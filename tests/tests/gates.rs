//! What MLOps teams stand on: fresh measurements judge a version, a gate reads the report, rollback takes one call.

use lglp_tests::{Registry, Server, readable};
use serde_json::{Value, json};

/// A small, quick target of this machine with two versions: one as good as few rows allow, one that knows nothing.
fn measured_here() -> Registry {
    let registry = Registry::default();
    let measure = [
        "measure",
        "--hardware",
        "here",
        "--space",
        "ofa-mobilenetv3",
        "--budget",
        "0.1",
    ];
    registry.ok(&[&measure[..], &["--count", "30"]].concat());
    for recipe in ["bayesian-ridge", "elastic-net"] {
        registry.ok(&[
            "train",
            "--hardware",
            "here",
            "--space",
            "ofa-mobilenetv3",
            "--recipe",
            recipe,
        ]);
    }
    registry
}

fn rules(problem: &Value) -> Vec<String> {
    let faults = problem["errors"].as_array().expect("each failed rule");
    let pointers = faults.iter().map(|fault| fault["pointer"].as_str().expect("a pointer"));
    pointers.map(|p| p.trim_start_matches("/gate/").to_owned()).collect()
}

fn put(server: &Server, path: &str, generation: u64, body: &Value) -> (u16, Value) {
    let tag = format!("\"{generation}\"");
    server.call("PUT", path, &[("If-Match", &tag)], Some(&body.to_string()))
}

#[test]
#[ignore = "takes long"]
fn a_version_is_validated_gated_promoted_and_rolled_back() {
    let registry = measured_here();
    let report = registry.json(&["validate", "--hardware", "here", "2", "--n", "6", "--budget", "0.1"]);
    let content = &report["content"];
    let pairs = content["pairs"].as_array().expect("pairs");
    assert_eq!(
        (&report["number"], &content["version"], pairs.len()),
        (&json!(1), &json!(2), 6)
    );
    // The report's figures follow from its pairs, by the metric's definition.
    let mape = pairs.iter().map(|pair| {
        let (measured, predicted) = (
            pair["measured_ms"].as_f64().unwrap(),
            pair["predicted_ms"].as_f64().unwrap(),
        );
        100.0 * ((predicted - measured) / measured).abs()
    });
    let mape = mape.sum::<f64>() / pairs.len() as f64;
    let said = content["metrics"]["mape"].as_f64().expect("a figure");
    assert!((mape - said).abs() < 1e-9 * mape, "{mape} {said}");
    // Nothing that was measured before is measured again.
    let measured = registry.json(&["models", "--hardware", "here", "1"])["content"]["dataset"].clone();
    assert_eq!(content["dataset"], measured);
    assert_eq!(content["baseline"], Value::Null, "nothing is in production yet");

    let server = registry.serve();
    let (gate, production) = ("/v1/here/gate", "/v1/here/aliases/production");
    assert_eq!(server.get(gate), (200, json!({ "rules": {}, "generation": 0 })));
    let policy = json!({ "rules": { "min_n": 5, "max_mape": 1000.0, "max_age_hours": 24.0, "max_regression": 0.0 }, "reason": "policy" });
    assert_eq!(server.call("PUT", gate, &[], Some(&policy.to_string())).0, 428);
    assert_eq!(put(&server, gate, 3, &policy).0, 412);
    assert_eq!(put(&server, gate, 0, &policy).0, 200);
    let wrong = json!({ "rules": { "min_coverage": 90.0 } });
    let (status, problem) = put(&server, gate, 1, &wrong);
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/min_coverage")),
        "{problem}"
    );

    // Version 1 was never validated: every rule says so, and a dry run says the same without moving anything.
    let (status, problem) = put(&server, production, 0, &json!({ "version": 1 }));
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:lglp:problem:gate-refused")),
        "{problem}"
    );
    assert_eq!(
        rules(&problem),
        ["min_n", "max_mape", "max_age_hours", "max_regression"]
    );
    let (status, forecast) = put(
        &server,
        &format!("{production}?dry_run=true"),
        0,
        &json!({ "version": 1 }),
    );
    assert_eq!((status, &forecast["moves"]), (200, &json!(false)));
    assert_eq!(
        put(
            &server,
            &format!("{production}?dry_run=true"),
            0,
            &json!({ "version": 2 })
        )
        .1["moves"],
        json!(true)
    );
    assert_eq!(server.get(production).0, 404, "nothing has moved");

    assert_eq!(put(&server, production, 0, &json!({ "version": 2 })).0, 200);
    let scatter = server.get("/v1/here/validations/1/scatter.svg").1;
    let scatter = scatter.as_str().expect("a picture");
    assert!(
        scatter.contains("<svg") && scatter.contains("(logarithmic)"),
        "{scatter}"
    );

    // Elastic-Net knows nothing of such small latencies; what it is compared with decides.
    drop(server);
    let report = registry.json(&[
        "validate",
        "--hardware",
        "here",
        "1",
        "--n",
        "6",
        "--select",
        "disagreement",
    ]);
    assert_eq!(report["content"]["baseline"]["version"], 2);
    let first = report["content"]["metrics"]["mape"].as_f64().expect("a figure");
    let second = report["content"]["baseline"]["metrics"]["mape"]
        .as_f64()
        .expect("a figure");
    let better = if first < second { (1, 2) } else { (2, 1) };
    let server = registry.serve();
    let (status, answer) = put(&server, production, 1, &json!({ "version": 1 }));
    if better.0 == 1 {
        assert_eq!(status, 200, "{answer}");
    } else {
        assert_eq!(
            (status, rules(&answer)),
            (409, vec!["max_regression".to_owned()]),
            "{answer}"
        );
        let forced = json!({ "version": 1, "force": true });
        assert_eq!(put(&server, production, 1, &forced).0, 422, "force needs a reason");
        let forced = json!({ "version": 1, "force": true, "reason": "an experiment" });
        assert_eq!(put(&server, production, 1, &forced).0, 200);
    }
    let answering = || {
        let body = json!({ "architectures": [{ "r": [160], "d": vec![2; 5], "ks": vec![3; 20], "e": vec![3; 20] }] });
        server.post("/v1/here/predict", &body.to_string()).1["model"]["version"].clone()
    };
    assert_eq!(answering(), json!(1));
    let go_back = || {
        let key = [("Idempotency-Key", "drill")];
        server.call(
            "POST",
            &format!("{production}/rollback"),
            &key,
            Some("{\"reason\": \"worse\"}"),
        )
    };
    let (status, back) = go_back();
    assert_eq!(go_back(), (status, back.clone()), "a repetition goes back no further");
    assert_eq!(
        (status, &back["version"], &back["generation"]),
        (200, &json!(2), &json!(3))
    );
    assert_eq!(answering(), json!(2));
    let (status, problem) = server.post(&format!("{production}/rollback"), "{}");
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:lglp:problem:nothing-to-roll-back-to"))
    );
    let audit = server.get("/v1/audit?limit=1000").1;
    let last = audit.as_array().and_then(|entries| entries.last()).expect("entries");
    assert_eq!(
        (&last["before"]["version"], &last["after"]["version"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        (&last["reason"], &last["change"]["rolled_back"]),
        (&json!("worse"), &json!(true))
    );
}

/// 32 clients at once: no version number twice or left out, one winner for each generation, every move in the log in order,
/// and a repeated key is answered as the first time.
#[test]
fn thirty_two_clients_at_once_leave_one_story() {
    const CLIENTS: usize = 32;
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let models = format!("/v1/{}/models", lglp_tests::HARDWARE);
    let alias = format!("/v1/{}/aliases/production", lglp_tests::HARDWARE);
    let content = server.get(&format!("{models}/1")).1["content"].clone();
    let results: Vec<(Value, Vec<u64>)> = std::thread::scope(|scope| {
        let client = |index: usize| {
            let (server, models, alias, mut content) = (&server, &models, &alias, content.clone());
            move || {
                content["creator"] = json!(format!("client {index}"));
                let key = format!("client-{index}");
                let headers = [("Idempotency-Key", key.as_str())];
                let (status, version) = server.call("POST", models, &headers, Some(&content.to_string()));
                assert_eq!(status, 201, "{version}");
                let again = server.call("POST", models, &headers, Some(&content.to_string()));
                assert_eq!(
                    again,
                    (201, version.clone()),
                    "a repetition is answered as the first time"
                );
                let mut won = Vec::new();
                for attempt in 0..6 {
                    let (_, seen) = server.get(alias);
                    let tag = format!("\"{}\"", seen["generation"]);
                    let key = format!("move-{index}-{attempt}");
                    let body = json!({ "version": version["version"], "actor": format!("client {index}") }).to_string();
                    let headers = [("If-Match", tag.as_str()), ("Idempotency-Key", key.as_str())];
                    let (status, moved) = server.call("PUT", alias, &headers, Some(&body));
                    match status {
                        200 => {
                            won.push(moved["generation"].as_u64().expect("a generation"));
                            let again = server.call("PUT", alias, &headers, Some(&body));
                            assert_eq!(again, (200, moved), "though it has moved since");
                        }
                        412 => {}
                        other => panic!("{other}: {moved}"),
                    }
                }
                (version["version"].clone(), won)
            }
        };
        let threads: Vec<_> = (0..CLIENTS).map(|index| scope.spawn(client(index))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a client"))
            .collect()
    });
    let mut numbers: Vec<u64> = results
        .iter()
        .map(|(version, _)| version.as_u64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(
        numbers,
        (2..=CLIENTS as u64 + 1).collect::<Vec<_>>(),
        "without gap or double"
    );
    let mut won: Vec<u64> = results.iter().flat_map(|(_, won)| won.clone()).collect();
    won.sort_unstable();
    assert_eq!(
        won,
        (2..=won.len() as u64 + 1).collect::<Vec<_>>(),
        "one winner for each generation"
    );
    assert!(won.len() >= CLIENTS / 4, "the clients hardly met: {} moves", won.len());
    let audit = server.get("/v1/audit?limit=100000").1;
    let moves = audit
        .as_array()
        .expect("entries")
        .iter()
        .filter(|e| e["change"]["kind"] == "alias_moved");
    let generations: Vec<u64> = moves
        .map(|e| e["change"]["generation"].as_u64().expect("a generation"))
        .collect();
    assert_eq!(
        generations,
        (1..=won.len() as u64 + 1).collect::<Vec<_>>(),
        "every move, in order"
    );
    assert_eq!(server.get("/v1/audit/head").0, 200);
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    assert_eq!(
        server.post(&format!("/v1/{}/predict", lglp_tests::HARDWARE), &body).0,
        200
    );
}
