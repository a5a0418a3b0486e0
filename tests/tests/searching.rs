//! Searching for fast networks that score well: what is found is what `lglp predict` says, keeps the limit, and beats random networks.

use lglp_tests::{HARDWARE, Registry, python, sample};
use serde_json::{Value, json};

/// What `lglp search` found.
fn search(registry: &Registry, more: &[&str]) -> Value {
    registry.json(&[&["search", "--hardware", HARDWARE][..], more].concat())
}

/// Architectures, latencies and scores of a front.
fn front(found: &Value) -> Vec<(String, f64, f64)> {
    let of = |candidate: &Value| {
        let number = |name: &str| candidate[name].as_f64().expect("a number");
        let text = candidate["architecture"].as_str().expect("canonical text");
        (text.to_owned(), number("latency_ms"), number("score"))
    };
    found["front"].as_array().expect("a front").iter().map(of).collect()
}

fn predicted(registry: &Registry, architectures: &[String]) -> Vec<Value> {
    let mut arguments = vec!["predict", "--hardware", HARDWARE];
    arguments.extend(architectures.iter().map(String::as_str));
    registry.json(&arguments)["predictions"]
        .as_array()
        .expect("predictions")
        .clone()
}

#[test]
#[ignore = "takes long"]
fn a_front_keeps_its_limit_and_beats_random_networks() {
    let registry = Registry::with_production("additive");
    let found = search(&registry, &["--max-ms", "60", "--candidates", "6000"]);
    assert_eq!(found["candidates"], 6000, "{found}");
    assert_eq!(
        (&found["runtime"], &found["batch_size"]),
        (&json!("onnxruntime"), &json!(1))
    );
    assert!(
        found["instead_of_measuring"]["hours"]
            .as_f64()
            .is_some_and(|hours| hours > 1.0)
    );
    let best = front(&found);
    assert!(best.len() > 50 && best.iter().all(|(_, ms, _)| *ms <= 60.0), "{found}");
    for pair in best.windows(2) {
        assert!(
            pair[0].1 < pair[1].1 && pair[0].2 < pair[1].2,
            "{pair:?} do not belong to one front"
        );
    }
    let some: Vec<String> = best
        .iter()
        .step_by(best.len() / 5)
        .map(|(text, ..)| text.clone())
        .collect();
    for ((text, ms, score), told) in best.iter().step_by(best.len() / 5).zip(predicted(&registry, &some)) {
        let latency = told["latency_ms"].as_f64().expect("ms");
        assert!(
            (latency - ms).abs() < 1e-9 * ms,
            "{text}: {ms} here, {latency} by predict"
        );
        let cost = registry.json(&["network", text]);
        let macs = cost["macs"].as_f64().expect("a count");
        assert!((macs / 1e6 - score).abs() < 1e-6 * score, "{text}: {cost}");
    }
    // The same seed finds the same.
    assert_eq!(
        front(&search(&registry, &["--max-ms", "60", "--candidates", "6000"])),
        best
    );
    // Hardly any of a few hundred random networks within the limit is as fast and computes as much.
    let random = sample(400, 99);
    let told = predicted(&registry, &random);
    let fast = random
        .iter()
        .zip(&told)
        .filter_map(|(text, told)| Some((text, told["latency_ms"].as_f64()?)));
    let fast: Vec<_> = fast.filter(|(_, ms)| *ms <= 60.0).collect();
    let beaten = |(text, ms): &&(&String, f64)| {
        let macs = registry.json(&["network", text])["macs"].as_f64().expect("a count") / 1e6;
        best.iter().any(|(_, own, score)| own <= ms && *score >= macs)
    };
    let count = fast.iter().filter(beaten).count();
    assert!(
        fast.len() >= 10 && count * 10 >= fast.len() * 9,
        "{count} of {} are beaten",
        fast.len()
    );
}

#[test]
fn the_upper_end_of_intervals_can_be_what_counts() {
    let registry = Registry::with_production("additive");
    let best = front(&search(
        &registry,
        &["--max-ms", "60", "--upper", "--candidates", "1000"],
    ));
    let (text, ms, _) = best.last().expect("a network within the limit");
    let told = &predicted(&registry, std::slice::from_ref(text))[0];
    let high = told["interval"]["high"].as_f64().expect("ms");
    assert!((high - ms).abs() < 1e-9 * ms, "{told}");
    let said = registry.ok(&[
        "search",
        "--hardware",
        HARDWARE,
        "--max-ms",
        "0.01",
        "--candidates",
        "600",
    ]);
    assert!(said.contains("takes 0.01 ms or less"), "{said}");
}

/// A program that scores by the number of layers, and others that fail in their ways.
#[test]
#[ignore = "takes long"]
fn a_program_scores_networks_or_its_failure_is_told() {
    let registry = Registry::with_production("additive");
    let file = |name: &str, text: &str| {
        let path = registry.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        format!("{} {}", python().display(), path.display())
    };
    let layers = file(
        "layers.py",
        "import sys\nfor line in sys.stdin:\n    print(line.count('-k'), flush=True)\n",
    );
    let plot = registry.folder.path().join("front.svg").display().to_string();
    let found = search(
        &registry,
        &["--program", &layers, "--candidates", "3000", "--plot", &plot],
    );
    let best = front(&found);
    for (text, _, score) in &best {
        assert_eq!(text.matches("-k").count() as f64, *score, "{text}");
    }
    assert_eq!(
        best.last().map(|found| found.2),
        Some(40.0),
        "the deepest network is on the front: {found}"
    );
    let drawn = std::fs::read_to_string(&plot).expect("a plot");
    assert!(drawn.starts_with("<svg") && drawn.contains("Pareto front"), "{drawn}");
    let fails = |program: &str| {
        registry.fails(&[
            "search",
            "--hardware",
            HARDWARE,
            "--candidates",
            "100",
            "--program",
            program,
        ])
    };
    let words = file(
        "words.py",
        "import sys\nfor line in sys.stdin:\n    print('good', flush=True)\n",
    );
    assert!(fails(&words).contains(r#"printed "good" for mobilenetv3@"#));
    let nan = file(
        "nan.py",
        "import sys\nfor line in sys.stdin:\n    print('nan', flush=True)\n",
    );
    assert!(fails(&nan).contains("expected a finite number"));
    let short = file("short.py", "import sys\nsys.stdin.readline()\nprint(1, flush=True)\n");
    let said = fails(&short);
    assert!(said.contains("where a score was expected for mobilenetv3@"), "{said}");
    // The story: the search waited for ever where a program had answered wrongly and read no further, and ended without a word where
    // one ended that had not read everything.
    let stuck = file("stuck.py", "import time\nprint('bad', flush=True)\ntime.sleep(3600)\n");
    let many = [
        "search",
        "--hardware",
        HARDWARE,
        "--candidates",
        "1000",
        "--program",
        &stuck,
    ];
    assert!(registry.fails(&many).contains(r#"printed "bad""#));
    let gone = file("gone.py", "print(1, flush=True)\n");
    let many = [
        "search",
        "--hardware",
        HARDWARE,
        "--candidates",
        "1000",
        "--program",
        &gone,
    ];
    assert!(registry.fails(&many).contains("where a score was expected"));
    assert!(fails("no-such-program-here").contains("cannot start no-such-program-here"));
}

#[test]
#[ignore = "takes long"]
fn a_job_finds_what_the_command_finds_and_can_be_cancelled() {
    let registry = Registry::with_production("additive");
    let best = front(&search(&registry, &["--max-ms", "60", "--candidates", "3000"]));
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/jobs");
    let submit = |parameters: Value| {
        server.post(
            &path,
            &json!({ "kind": "search", "parameters": parameters }).to_string(),
        )
    };
    let said = registry.ok(&[
        "search",
        "--hardware",
        HARDWARE,
        "--max-ms",
        "60",
        "--candidates",
        "3000",
        "--job",
    ]);
    assert!(said.contains("lglp jobs watch 1"), "{said}");
    registry.ok(&["jobs", "watch", "1"]);
    let job = server.get("/v1/jobs/1").1;
    let result = &job["result"];
    assert_eq!(
        (&result["candidates"], &result["found"], &result["version"]),
        (&json!(3000), &json!(best.len()), &json!(1)),
        "{job}"
    );
    assert_eq!(
        (&result["runtime"], &result["batch_size"]),
        (&json!("onnxruntime"), &json!(1))
    );
    let blob = server
        .get(&format!("/v1/blobs/{}", result["front"].as_str().expect("a digest")))
        .1;
    assert_eq!(
        front(&json!({ "front": blob })),
        best,
        "whoever searches finds the same"
    );
    let some = front(&json!({ "front": result["some"] }));
    assert_eq!((some.len(), &some[0], some.last()), (12, &best[0], best.last()));

    // A search of hours ends soon where it is cancelled, and predictions go on beside it.
    let (status, job) = submit(json!({ "candidates": 10_000_000, "score": "parameters", "upper": true }));
    assert_eq!(status, 202, "{job}");
    let one = json!({ "architectures": [best[0].0] }).to_string();
    for _ in 0..20 {
        assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), &one).0, 200);
    }
    let job = format!("/v1/jobs/{}", job["id"]);
    assert_eq!(server.post(&format!("{job}/cancel"), "").0, 200);
    let began = std::time::Instant::now();
    while server.get(&job).1["state"] != "cancelled" {
        assert!(began.elapsed() < std::time::Duration::from_secs(30));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }

    let cases = [
        (json!({ "candidates": 9 }), "/parameters/candidates"),
        (json!({ "candidates": 10_000_001 }), "/parameters/candidates"),
        (json!({ "max_ms": 0 }), "/parameters/max_ms"),
        (json!({ "model": [] }), "/parameters/model"),
        (json!({ "score": "accuracy" }), "/parameters/score"),
        (json!({ "program": "sh" }), "/parameters/program"),
    ];
    for (parameters, place) in cases {
        let (status, problem) = submit(parameters);
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(place)),
            "{problem}"
        );
    }
    // What only shows when it is begun makes it fail, in words.
    let (status, job) = submit(json!({ "model": "7", "candidates": 10 }));
    assert_eq!(status, 202, "{job}");
    let said = registry.fails(&["jobs", "watch", &job["id"].to_string()]);
    assert!(said.contains("no version 7"), "{said}");
}
