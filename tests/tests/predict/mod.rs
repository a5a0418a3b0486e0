//! The main call: `POST /v1/{hardware}/predict`, its forms, its errors, and that it says what `lglp predict` says.

mod bodies;
mod forms;
mod networks;
mod rows;
mod together;

use lglp_tests::{HARDWARE, Registry, Server, readable, sample};
use serde_json::{Value, json};

fn predict(server: &Server, body: &Value) -> (u16, Value) {
    server.post(&format!("/v1/{HARDWARE}/predict"), &body.to_string())
}

fn latencies(answer: &Value) -> Vec<f64> {
    let predictions = answer["predictions"].as_array().expect("predictions");
    predictions
        .iter()
        .map(|p| p["latency_ms"].as_f64().expect("ms"))
        .collect()
}

/// Status, last part of the problem's type, and the places at fault.
fn problem((status, body): (u16, Value)) -> (u16, String, Vec<String>) {
    assert_eq!(body["status"], status, "{body}");
    assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
    let kind = body["type"].as_str().expect("a type").rsplit(':').next();
    let places = body["errors"].as_array().cloned().unwrap_or_default();
    let pointers = places
        .iter()
        .map(|e| e["pointer"].as_str().expect("a pointer").to_owned());
    (status, kind.unwrap_or_default().to_owned(), pointers.collect())
}

/// A generation of a search, one of which its author's mutation broke: the others are predicted all the same, where that is wanted.
#[test]
fn a_faulty_architecture_leaves_the_others_be() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let good = sample(150, 4);
    let (status, expected) = predict(&server, &json!({ "architectures": good }));
    assert_eq!(status, 200, "{expected}");
    for count in [3, 150] {
        let faulty = [0, count / 2, count + 2];
        let mut architectures: Vec<Value> = good[..count].iter().map(|text| json!(text)).collect();
        for at in faulty {
            architectures.insert(at, json!({ "resolution": 321, "blocks": [] }));
        }
        let whole = predict(&server, &json!({ "architectures": architectures }));
        assert_eq!(problem(whole).0, 422);
        let request = json!({ "architectures": architectures, "on_error": "item" });
        let (status, answer) = predict(&server, &request);
        assert_eq!(status, 200, "{answer}");
        let mut predictions = answer["predictions"].as_array().expect("predictions").clone();
        assert_eq!(predictions.len(), count + 3);
        for at in faulty.iter().rev() {
            let fault = predictions.remove(*at);
            assert_eq!(fault["error"]["pointer"], format!("/architectures/{at}/blocks"));
            assert!(fault["error"]["detail"].to_string().contains("has 10"), "{fault}");
            assert_eq!(fault.as_object().map(serde_json::Map::len), Some(1), "{fault}");
        }
        assert_eq!(
            predictions,
            expected["predictions"].as_array().expect("predictions")[..count]
        );
    }
    let none = json!({ "architectures": [1, 2], "on_error": "item" });
    let answer = predict(&server, &none).1;
    assert!(answer["predictions"][1]["error"]["detail"].is_string(), "{answer}");
    let wrong = json!({ "architectures": good, "on_error": "skip" });
    assert_eq!(
        problem(predict(&server, &wrong)),
        (422, "invalid-request".into(), vec!["/on_error".into()])
    );
    let said = registry.ok(&[
        "predict",
        "--hardware",
        HARDWARE,
        "--skip-faulty",
        &good[0],
        "mobilenetv3@321/s1-k3e3",
    ]);
    assert!(said.contains("the space `mobilenetv3` has 10"), "{said}");
}

/// Whoever searches from elsewhere draws what `lglp sample` draws.
#[test]
fn a_server_draws_architectures() {
    let registry = Registry::default();
    let server = registry.serve();
    let (status, drawn) = server.get("/v1/spaces/mobilenetv3/sample?count=20&seed=3");
    assert_eq!((status, &drawn["seed"]), (200, &json!(3)), "{drawn}");
    assert_eq!(drawn["architectures"], json!(sample(20, 3)));
    assert_eq!(
        server.get("/v1/spaces/mobilenetv3/sample").1["architectures"],
        json!(sample(1, 0))
    );
    let (status, problem) = server.get("/v1/spaces/nowhere/sample");
    assert!(
        status == 404 && problem["detail"].to_string().contains("mobilenetv3"),
        "{problem}"
    );
    for (query, status) in [
        ("count=10001", 422),
        ("weighted=10001", 422),
        ("count=-1", 400),
        ("sort=up", 400),
    ] {
        let (found, problem) = server.get(&format!("/v1/spaces/mobilenetv3/sample?{query}"));
        assert_eq!(found, status, "{query}: {problem}");
    }
}

#[test]
fn the_server_predicts_what_the_command_line_predicts_without_one() {
    let registry = Registry::with_production("lglp-quick");
    let architectures = sample(30, 1);
    let mut arguments = vec!["predict", "--hardware", HARDWARE];
    arguments.extend(architectures.iter().map(String::as_str));
    let alone = registry.json(&arguments);
    let server = registry.serve();
    let (status, served) = predict(&server, &json!({ "architectures": architectures }));
    assert_eq!(status, 200, "{served}");
    assert_eq!(served, alone);
    assert_eq!(
        registry.json(&arguments),
        alone,
        "the command asks the server that holds the registry"
    );
    assert!(latencies(&served).iter().all(|l| l.is_finite() && *l > 0.0));
    assert_eq!(
        (&served["unit"], &served["space"]),
        (&json!("ms"), &json!("mobilenetv3"))
    );
    for prediction in served["predictions"].as_array().expect("predictions") {
        let interval = &prediction["interval"];
        let (low, high) = (
            interval["low"].as_f64().expect("ms"),
            interval["high"].as_f64().expect("ms"),
        );
        let latency = prediction["latency_ms"].as_f64().expect("ms");
        assert!(low < latency && latency < high && interval["coverage"] == 0.9);
    }
}

/// Answers without an interval did not say why, and none said how large the batches are that its latencies are of.
#[test]
fn answers_tell_the_batch_that_they_are_of_and_why_there_is_no_interval() {
    let registry = Registry::with_production("linear");
    let version = registry.json(&["models", "--hardware", HARDWARE, "1"]);
    let held_out = version["content"]["residuals"].as_array().expect("a list").len();
    assert!(
        (9..19).contains(&held_out),
        "enough for 90 %, and not for 95 %: {held_out}"
    );
    let architectures = sample(3, 8);
    let ask = |coverage: f64| json!({ "architectures": architectures, "coverage": coverage });
    let server = registry.serve();
    let (_, usual) = predict(&server, &ask(0.9));
    assert_eq!(
        (&usual["runtime"], &usual["batch_size"]),
        (&json!("onnxruntime"), &json!(1))
    );
    let (status, wide) = predict(&server, &ask(0.95));
    assert_eq!(status, 200, "{wide}");
    let reason = format!("{held_out} measurements held out, 95 % needs 19");
    for (with, without) in [(&usual, &wide)].into_iter().flat_map(|(a, b)| {
        let of = |answer: &Value| answer["predictions"].as_array().expect("predictions").clone();
        of(a).into_iter().zip(of(b))
    }) {
        assert!(
            with["interval"]["high"].is_f64() && with.get("no_interval").is_none(),
            "{with}"
        );
        assert_eq!(
            (without.get("interval"), &without["no_interval"]),
            (None, &json!(reason))
        );
    }
    drop(server);
    let arguments = [
        "predict",
        "--hardware",
        HARDWARE,
        "--coverage",
        "0.95",
        &architectures[0],
    ];
    assert_eq!(registry.json(&arguments)["predictions"][0], wide["predictions"][0]);
    let said = registry.ok(&arguments);
    assert!(said.contains(&format!("no interval: {reason}")), "{said}");
    assert!(said.contains("of onnxruntime at batch size 1"), "{said}");
}

/// A table that came in without a batch size is of none that is known: 1 would be made up.
#[test]
fn a_batch_size_that_is_not_told_is_left_out() {
    let registry = Registry::default();
    let table = registry.folder.path().join("table.csv");
    let rows = sample(80, 4)
        .into_iter()
        .enumerate()
        .map(|(at, text)| format!("{text},{}.5", at + 3));
    let rows: Vec<String> = std::iter::once("architecture,latency_ms".to_owned())
        .chain(rows)
        .collect();
    std::fs::write(&table, rows.join("\n")).expect("a file");
    let table = table.to_str().expect("UTF-8");
    registry.ok(&[
        "dataset",
        "import",
        table,
        "--hardware",
        "phone",
        "--space",
        "mobilenetv3",
    ]);
    registry.ok(&["train", "--hardware", "phone", "--recipe", "linear"]);
    let arguments = ["predict", "--hardware", "phone", "--model", "1", &sample(1, 5)[0]];
    let answer = registry.json(&arguments);
    assert_eq!(
        (answer.get("batch_size"), &answer["runtime"]),
        (None, &json!("imported")),
        "{answer}"
    );
    let said = registry.ok(&arguments);
    assert!(said.contains("of imported at a batch size that is not told"), "{said}");
}

/// Rows of a batch must not influence one another, in whatever chunks plugins work.
#[test]
fn a_batch_predicts_what_single_requests_predict() {
    let registry = Registry::with_production("lglp-quick");
    let server = registry.serve();
    let architectures = sample(70, 2);
    let batch = latencies(&predict(&server, &json!({ "architectures": architectures })).1);
    for (architecture, expected) in architectures.iter().zip(batch).step_by(9) {
        let single = latencies(&predict(&server, &json!({ "architectures": [architecture] })).1);
        assert!(
            (single[0] - expected).abs() <= 1e-5 * expected,
            "{} is not {expected}",
            single[0]
        );
    }
}

#[test]
fn every_form_of_an_architecture_and_of_a_model_means_the_same() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let text = "mobilenetv3@320/s2-k5e4/s2-se-k5e4/s2-k5e4/s2-se-k5e4/s1-k5e4/s1-se-k5e4/s1-k5e4/s1-se-k5e4/s1-k5e4/s1-se-k5e4";
    let with_text = predict(&server, &json!({ "architectures": [text] })).1;
    for model in [json!("production"), json!(1), json!("1")] {
        let body = json!({ "space": "mobilenetv3", "architectures": [readable(320, 1, 5, 4)], "model": model });
        assert_eq!(predict(&server, &body), (200, with_text.clone()));
    }
    // Where the Once-for-All form leaves an attribute out, the space's default stands in, as it does when it is written.
    let ofa = json!({ "r": [320], "d": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], "ks": vec![5; 40], "e": vec![4; 40] });
    let (status, answer) = predict(&server, &json!({ "architectures": [ofa] }));
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn faulty_requests_name_the_place_and_what_is_allowed() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let good = readable(320, 2, 3, 3);
    let with = |place: &str, value: Value| {
        let mut architecture = good.clone();
        *architecture.pointer_mut(place).expect("a place") = value;
        let body = json!({ "architectures": [good, good, good, architecture] });
        predict(&server, &body)
    };
    let cases = [
        (
            "/blocks/2/layers/0/kernel",
            json!(4),
            "/architectures/3/blocks/2/layers/0/kernel",
            "3, 5, 7",
        ),
        (
            "/blocks/2/layers/1/expansion",
            json!("6"),
            "/architectures/3/blocks/2/layers/1/expansion",
            "3, 4, 6",
        ),
        (
            "/resolution",
            json!(224),
            "/architectures/3/resolution",
            "160, 320, 512, 768, 1024",
        ),
        ("/blocks/9/stride", json!(3), "/architectures/3/blocks/9/stride", "1, 2"),
        (
            "/blocks/0/layers/0",
            json!({ "kernel": 3, "shortcut": false }),
            "/architectures/3/blocks/0/layers/0/expansion",
            "missing",
        ),
        (
            "/blocks/0/layers",
            json!(vec![good["blocks"][0]["layers"][0].clone(); 5]),
            "/architectures/3/blocks/0/layers",
            "1, 2, 3, 4",
        ),
        (
            "/blocks/0/layers",
            json!([]),
            "/architectures/3/blocks/0/layers",
            "1, 2, 3, 4",
        ),
        ("/blocks", json!([]), "/architectures/3/blocks", "10"),
        ("", json!({ "resolution": 320 }), "/architectures/3/blocks", "missing"),
        (
            "",
            json!({ "r": [320], "d": [5, 1, 1, 1, 1, 1, 1, 1, 1, 1], "ks": vec![3; 40], "e": vec![3; 40] }),
            "/architectures/3/d/0",
            "1",
        ),
        ("", json!("mobilenetv3@320/s2-k4e3"), "/architectures/3", "has 10"),
        ("", json!(17), "/architectures/3", ""),
    ];
    for (place, value, pointer, allowed) in cases {
        let (status, body) = with(place, value.clone());
        let first = &body["errors"][0];
        assert_eq!(
            (status, first["pointer"].as_str()),
            (422, Some(pointer)),
            "{value}: {body}"
        );
        let detail = first["detail"].as_str().expect("a detail");
        assert!(detail.contains(allowed), "{pointer}: {detail} does not say {allowed}");
        problem((status, body));
    }
    let good = json!([good]);
    let ask = |body: Value| problem(predict(&server, &body));
    let fault = |pointer: &str| (422, "invalid-request".to_owned(), vec![pointer.to_owned()]);
    assert_eq!(ask(json!({})), fault("/architectures"));
    assert_eq!(ask(json!([])), fault(""));
    assert_eq!(ask(json!({ "architectures": [] })), fault("/architectures"));
    assert_eq!(
        ask(json!({ "architectures": vec![0; 10_001] })),
        fault("/architectures")
    );
    assert_eq!(ask(json!({ "architectures": good, "modle": 1 })), fault("/modle"));
    assert_eq!(ask(json!({ "architectures": good, "model": 1.5 })), fault("/model"));
    assert_eq!(
        ask(json!({ "architectures": good, "space": "ofa-mobilenetv3" })),
        fault("/space")
    );
    let (status, kind, _) = ask(json!({ "architectures": good, "space": "nasbench" }));
    assert_eq!((status, kind.as_str()), (404, "unknown-space"));
    let (status, kind, _) = ask(json!({ "architectures": good, "model": 7 }));
    assert_eq!((status, kind.as_str()), (404, "unknown-version"));
    let (status, kind, _) = ask(json!({ "architectures": good, "model": "canary" }));
    assert_eq!((status, kind.as_str()), (404, "unknown-alias"));
    let post = |path: &str, body: &str| problem(server.post(path, body));
    let twice = format!("{{\"model\": 1, \"architectures\": {good}, \"model\": 1}}");
    assert_eq!(post(&format!("/v1/{HARDWARE}/predict"), &twice), fault("/model"));
    let body = json!({ "architectures": good }).to_string();
    assert_eq!(post("/v1/toaster/predict", &body).1, "unknown-hardware");
    assert_eq!(post("/v1/No%20Name/predict", &body).0, 404);
    let (status, kind, _) = post(&format!("/v1/{HARDWARE}/predict"), "{\"architectures\": [");
    assert_eq!((status, kind.as_str()), (400, "malformed-json"));
    let large = format!("{{\"architectures\": [\"{}\"]}}", "x".repeat(65 << 20));
    let (status, kind, _) = post(&format!("/v1/{HARDWARE}/predict"), &large);
    assert_eq!((status, kind.as_str()), (413, "body-too-large"));
    let (status, kind, _) = problem(server.get(&format!("/v1/{HARDWARE}/predict")));
    assert_eq!((status, kind.as_str()), (405, "method-not-allowed"));
    let (status, kind, _) = post(&format!("/v1/{HARDWARE}/predict"), &"[".repeat(100_000));
    assert_eq!((status, kind.as_str()), (400, "malformed-json"));
    let (status, kind, _) = problem(server.get("/v1/nowhere/at/all"));
    assert_eq!((status, kind.as_str()), (404, "no-such-path"));
    assert_eq!(
        predict(&server, &json!({ "architectures": good })).0,
        200,
        "it still serves"
    );
}

#[test]
fn without_a_production_model_the_problem_says_how_to_get_one() {
    let registry = Registry::default();
    registry.import(40);
    let server = registry.serve();
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] });
    let (status, answer) = predict(&server, &body);
    assert_eq!(
        (status, answer["type"].as_str()),
        (404, Some("urn:lglp:problem:no-production-model"))
    );
    let detail = answer["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("lglp train") && detail.contains("lglp promote"),
        "{detail}"
    );
}

/// The story: a resolution is added to a space's file, one-hot positions shift, and every model that was trained before
/// predicts plausible nonsense.
#[test]
fn a_space_that_was_redefined_is_not_predicted_in() {
    let registry = Registry::with_production("gbdt");
    let spaces = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&spaces).expect("a folder");
    let file = lglp_tests::root().join("catalog/spaces/mobilenetv3.toml");
    let text = std::fs::read_to_string(file).expect("the space");
    let architecture = sample(1, 3).remove(0);
    let arguments = [
        "predict",
        "--hardware",
        HARDWARE,
        &architecture,
        "--spaces",
        spaces.to_str().expect("UTF-8"),
    ];
    let define = |text: &str| std::fs::write(spaces.join("mobilenetv3.toml"), text).expect("a file");
    define(&text.replace("title = \"", "title = \"By another title, "));
    registry.ok(&arguments);
    define(&text.replace("[160, 320,", "[128, 160, 320,"));
    let said = registry.fails(&arguments);
    assert!(
        said.contains("was defined otherwise") && said.contains("train again"),
        "{said}"
    );
}

#[test]
fn the_largest_batch_is_answered() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let architectures = vec![readable(160, 1, 3, 3); 10_000];
    let (status, answer) = predict(&server, &json!({ "architectures": architectures }));
    assert_eq!((status, latencies(&answer).len()), (200, 10_000));
}

/// A NAS loop that strays from what was measured must learn it from the answer.
#[test]
fn a_prediction_outside_the_training_range_says_so() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let mut largest = readable(1024, 4, 7, 6);
    for (block, stride) in [(2, 1), (3, 1), (8, 2), (9, 2)] {
        largest["blocks"][block]["stride"] = json!(stride);
    }
    let body = json!({ "architectures": [largest, readable(512, 2, 3, 3)] });
    let (_, answer) = predict(&server, &body);
    let reason = answer["predictions"][0]["outside_training_range"]
        .as_str()
        .expect("a reason");
    assert!(reason.contains("GMAC; trained on"), "{reason}");
    assert!(answer["predictions"][1]["outside_training_range"].is_null(), "{answer}");
}

/// A server that takes on more than it can do answers everybody late; one that says so is asked again.
#[test]
fn requests_beyond_the_queue_are_turned_away_and_the_rest_is_answered() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve_with(&["--queue-depth", "1"]);
    let body = json!({ "architectures": vec![readable(320, 4, 7, 6); 2000] }).to_string();
    let statuses: Vec<(u16, String)> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..12)
            .map(|_| {
                scope.spawn(|| {
                    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
                    (status, answer["type"].as_str().unwrap_or_default().to_owned())
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    let answered = statuses.iter().filter(|(status, _)| *status == 200).count();
    let turned_away = statuses
        .iter()
        .filter(|s| **s == (429, "urn:lglp:problem:overloaded".to_owned()))
        .count();
    assert!(
        answered >= 1 && turned_away >= 1 && answered + turned_away == 12,
        "{statuses:?}"
    );
}
