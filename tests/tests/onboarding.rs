//! Onboarding: few chosen measurements by a real program, in steps that can be gone on from; and rehearsals on recorded ones.

use std::path::PathBuf;

use lglp_registry::prelude::*;
use lglp_registry::{Exclusion, HardwareName, HolderInfo, Measurement, SledStore};
use lglp_tests::{HARDWARE, Registry, Server, python, root};
use serde_json::{Value, json};

const SPACE: &str = "ofa-mobilenetv3";

/// A device on which a network takes a microsecond for every 10 kB of its file, and 1 ms: its weights are what it costs.
const DEVICE: &str = r#"
import json, os, sys
took = 1 + os.path.getsize(sys.argv[1]) / 1e7
print(json.dumps({"samples": [{"wall_ms": took}] * int(sys.argv[2]), "device": "abacus", "runtime": "beads", "version": "1"}))
"#;

/// `lglp onboard` of that device.
fn onboard(registry: &Registry, more: &[&str]) -> String {
    let device: PathBuf = registry.folder.path().join("device.py");
    std::fs::write(&device, DEVICE).expect("a file");
    let (python, device) = (python().display().to_string(), device.display().to_string());
    let command = format!(r#"command=["{python}","{device}","{{onnx}}","{{repetitions}}"]"#);
    let fixed = [
        "onboard",
        "--hardware",
        "abacus",
        "--space",
        SPACE,
        "--runtime",
        "command",
        "--set",
        &command,
    ];
    registry.ok(&[&fixed, more].concat())
}

fn excluded(measurement: &Measurement) -> Exclusion {
    Exclusion {
        space: measurement.space.clone(),
        digest: measurement.digest.clone(),
        replicate: measurement.replicate,
        reason: "a test".into(),
        evidence: Value::Null,
    }
}

#[test]
#[ignore = "takes long"]
fn a_device_is_known_after_few_measurements() {
    let registry = Registry::default();
    let said = onboard(&registry, &["--budget", "15"]);
    for part in [
        "10 measured: error",
        "15 measured: error",
        "version 1 of abacus",
        "lglp promote --hardware abacus 1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Going on measures what is missing alone; the goal ends it before the budget.
    let plot = registry.folder.path().join("curve.svg");
    let plot = plot.display().to_string();
    let said = onboard(&registry, &["--budget", "40", "--until", "mape=50", "--plot", &plot]);
    assert!(said.contains("15 measured") && !said.contains("20 measured"), "{said}");
    assert!(said.contains("the goal is reached"), "{said}");
    let drawn = std::fs::read_to_string(&plot).expect("a plot");
    assert!(drawn.starts_with("<svg"), "{drawn}");
    for text in ["each row left out", "(logarithmic)", "error bars: ± one standard error"] {
        assert!(drawn.contains(text), "{text}: {drawn}");
    }
    // The version tells how it was judged, and predicts.
    let models: Value = registry.json(&["models", "--hardware", "abacus"]);
    let version = &models["versions"][0]["content"];
    assert_eq!(version["split"]["test"], Value::Array(Vec::new()), "{version}");
    assert!(
        version["metrics"]["mape"].as_f64().is_some_and(|mape| mape < 50.0),
        "{version}"
    );
    registry.ok(&["promote", "--hardware", "abacus", "1"]);
    let architecture = registry.ok(&["sample", "--space", SPACE, "--seed", "9"]);
    let told = registry.json(&["predict", "--hardware", "abacus", architecture.trim()]);
    let prediction = &told["predictions"][0];
    assert!(
        prediction["latency_ms"]
            .as_f64()
            .is_some_and(|ms| ms > 1.0 && ms < 100.0),
        "{told}"
    );
    assert_eq!(prediction["interval"]["provisional"], true, "15 rows are few: {told}");
}

#[test]
#[ignore = "takes long"]
fn a_rehearsal_tells_what_choosing_and_other_targets_bring() {
    let registry = Registry::default();
    for hardware in [HARDWARE, "epyc-1t"] {
        let folder = root().join("datasets").join(hardware);
        registry.ok(&["dataset", "import", &folder.display().to_string()]);
    }
    let rehearse = [
        "onboard",
        "--hardware",
        HARDWARE,
        "--rehearse",
        "--seeds",
        "2",
        "--budget",
    ];
    let told = registry.json(&[&rehearse[..], &["20"]].concat());
    assert_eq!(told["sources"][0], "epyc-1t", "{told}");
    let error = |way: usize, at: usize| told["ways"][way]["errors"][at][1].as_f64().expect("percent");
    assert_eq!(
        (&told["ways"][0]["chosen"], &told["ways"][0]["transfer"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&told["ways"][3]["chosen"], &told["ways"][3]["transfer"]),
        (&false.into(), &false.into())
    );
    // After ten measurements, and after twenty.
    assert!(error(0, 0) < 0.8 * error(3, 0), "{told}");
    assert!(error(0, 1) < error(3, 1), "{told}");
    let said = registry.fails(&[&rehearse[..], &["5000"]].concat());
    assert!(
        said.contains("620 measured architectures; a rehearsal needs 5050 or more"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_onboarded_is_said_before_anything_is_measured() {
    let registry = Registry::default();
    let onboard = |more: &[&str]| registry.fails(&[&["onboard", "--hardware", "new"], more].concat());
    let said = onboard(&["--budget", "5"]);
    assert!(said.contains("a budget of 5; 10 architectures or more"), "{said}");
    let said = onboard(&["--until", "mape=0"]);
    assert!(said.contains("expected mape=PERCENT"), "{said}");
    let said = onboard(&["--recipe", "gbdt", "--budget", "12"]);
    assert!(said.contains("cannot tell its error from so few rows"), "{said}");
    assert_eq!(registry.json(&["hardware"]), Value::Array(Vec::new()));
}

/// The story: an architecture whose measurement was excluded was chosen again, the campaign found it measured, and so on without end.
#[test]
#[ignore = "takes long"]
fn what_was_excluded_is_not_chosen_again() {
    let registry = Registry::default();
    onboard(&registry, &["--budget", "12", "--alone"]);
    let abacus: HardwareName = "abacus".parse().expect("a name");
    {
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        let measured = store.measurements(&abacus, SPACE, None).expect("measurements");
        let exclusions: Vec<Exclusion> = measured.iter().take(4).map(excluded).collect();
        let count = store
            .exclude_measurements(&abacus, &exclusions, "test")
            .expect("excluded");
        assert_eq!(count, 4);
    }
    let said = onboard(&registry, &["--budget", "12", "--alone"]);
    assert!(said.contains("12 measured: error"), "{said}");
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    assert_eq!(
        store.measurements(&abacus, SPACE, None).expect("measurements").len(),
        16
    );
}

/// Submits an onboarding; its path.
fn submit(server: &Server, hardware: &str, more: Value) -> String {
    let mut parameters = json!({ "space": SPACE, "budget_s": 0.05 });
    let own = parameters.as_object_mut().expect("an object");
    own.extend(more.as_object().expect("an object").clone());
    let body = json!({ "kind": "onboard", "parameters": parameters }).to_string();
    let (status, job) = server.post(&format!("/v1/{hardware}/jobs"), &body);
    assert_eq!(status, 202, "{job}");
    format!("/v1/jobs/{}", job["id"])
}

/// The numbers of measurements after which something was known.
fn sizes(result: &Value) -> Vec<u64> {
    let steps = result["steps"].as_array().expect("steps").iter();
    steps.map(|step| step["measured"].as_u64().expect("a count")).collect()
}

fn measured(server: &Server, hardware: &str) -> usize {
    let found = server.get(&format!("/v1/{hardware}/measurements?space={SPACE}")).1;
    found.as_array().map_or(0, Vec::len)
}

#[test]
#[ignore = "takes long"]
fn a_job_goes_on_where_a_killed_server_left_it_and_makes_one_version() {
    let registry = Registry::default();
    let mut server = registry.serve();
    let job = submit(&server, "box", json!({ "budget": 20 }));
    server.wait(&job, |job| {
        job["checkpoint"]["steps"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty())
    });
    server.child.kill().expect("it runs");
    server.child.wait().expect("it ended");
    let before = server;
    let server = registry.serve();
    drop(before);
    let done = server.wait(&job, |job| !job["finished_at"].is_null());
    assert_eq!(done["state"], "succeeded", "{done}");
    let result = &done["result"];
    assert_eq!(sizes(result), [10, 15, 20], "each step once, whenever it was: {done}");
    assert_eq!(measured(&server, "box"), 20, "nothing is measured twice");
    let models = server.get("/v1/box/models").1;
    assert_eq!(models["versions"].as_array().map(Vec::len), Some(1), "{models}");
    assert_eq!(
        (&result["version"], &result["digest"]),
        (&json!(1), &models["versions"][0]["digest"])
    );
    assert!(
        done["progress"]["note"]
            .as_str()
            .is_some_and(|note| note.contains("after 20 measurements"))
    );

    // What is measured counts: the goal is reached without more. The space is the target's; it once was `mobilenetv3` for all.
    let job = submit(
        &server,
        "box",
        json!({ "budget": 40, "until_mape": 100, "space": null }),
    );
    let done = server.wait(&job, |job| !job["finished_at"].is_null());
    assert_eq!(
        (&done["result"]["reached"], measured(&server, "box")),
        (&json!(true), 20),
        "{done}"
    );
    let said = registry.ok(&[
        "onboard",
        "--hardware",
        "box",
        "--space",
        SPACE,
        "--budget",
        "20",
        "--job",
    ]);
    assert!(said.contains("lglp jobs watch 3"), "{said}");
    let said = registry.ok(&["jobs", "watch", "3"]);
    assert!(said.contains("job 3 succeeded: version 3, error"), "{said}");
}

#[test]
#[ignore = "takes long"]
fn workers_measure_what_a_job_chooses() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = registry.worker(&server.base, "edge", "board");
    worker.wait_for("registered", 1);
    let job = submit(&server, "board", json!({ "budget": 15, "alone": true }));
    let done = server.wait(&job, |job| !job["finished_at"].is_null());
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(sizes(&done["result"]), [10, 15], "{done}");
    assert_eq!(worker.told("measured").len(), 15);
    let jobs = server.get("/v1/jobs").1;
    let parts = jobs["jobs"]
        .as_array()
        .expect("jobs")
        .iter()
        .filter(|part| part["parent"] == done["id"]);
    let parts: Vec<&Value> = parts.collect();
    assert_eq!(parts.len(), 2, "one for each step: {jobs}");
    assert!(
        parts
            .iter()
            .all(|part| part["kind"] == "measure" && part["state"] == "succeeded")
    );
    let found = server.get(&format!("/v1/board/measurements?space={SPACE}")).1;
    assert!(
        found
            .as_array()
            .expect("a list")
            .iter()
            .all(|one| one["worker"] == "edge"),
        "{found}"
    );

    // A job that ends takes what it needed with it.
    let job = submit(&server, "board", json!({ "budget": 200 }));
    server.wait("/v1/jobs", |jobs| {
        let jobs = jobs["jobs"].as_array().expect("jobs");
        jobs.iter()
            .any(|part| part["parent"] == json!(4) && part["state"] == "running")
    });
    let (status, _) = server.post(&format!("{job}/cancel"), "");
    assert_eq!(status, 200);
    server.wait("/v1/jobs", |jobs| {
        let jobs = jobs["jobs"].as_array().expect("jobs");
        jobs.iter().all(|job| !job["finished_at"].is_null())
    });
    assert_eq!(server.get(&job).1["state"], "cancelled");
}

#[test]
fn a_job_that_can_never_succeed_is_refused_with_its_field() {
    let registry = Registry::default();
    let server = registry.serve();
    let cases = [
        (json!({ "budget": 0 }), "/parameters/budget"),
        (json!({ "budget": 9 }), "/parameters/budget"),
        (json!({ "budget": 2001 }), "/parameters/budget"),
        (json!({ "until_mape": 0 }), "/parameters/until_mape"),
        (json!({ "recipe": "gbdt" }), "/parameters/recipe"),
        (json!({ "recipe": "nothing" }), "/parameters/recipe"),
        (json!({ "space": "nasbench" }), "/parameters/space"),
        (json!({ "budget_s": -1 }), "/parameters/budget_s"),
        (json!({ "batch_size": 0 }), "/parameters/batch_size"),
        (json!({ "runtime": "abacus" }), "/parameters/runtime"),
        (json!({ "sources": ["No Name"] }), "/parameters/sources/0"),
        (json!({ "goal": 3 }), "/parameters/goal"),
    ];
    for (parameters, place) in cases {
        let body = json!({ "kind": "onboard", "parameters": parameters }).to_string();
        let (status, problem) = server.post("/v1/box/jobs", &body);
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(place)),
            "{parameters}: {problem}"
        );
    }
    assert_eq!(server.get("/v1/hardware/box").0, 404, "nothing was made of them");
}

/// Random networks teach a device what any network takes there; what is measured is not measured again.
#[test]
#[ignore = "takes long"]
fn a_device_is_learned_for_any_network() {
    let registry = Registry::default();
    let said = registry.fails(&["onboard", "--hardware", "abacus", "--for", "onnx", "--budget", "10"]);
    assert!(said.contains("50 or more"), "{said}");
    let said = onboard(&registry, &["--for", "onnx", "--budget", "50"]);
    assert!(
        said.contains("50 measured") && said.contains("lglp promote --hardware abacus 1"),
        "{said}"
    );
    let version = registry.json(&["models", "--hardware", "abacus", "1"]);
    assert_eq!(version["content"]["networks"]["count"], 50, "{version}");
    let measured = || {
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        let abacus: HardwareName = "abacus".parse().expect("a name");
        store
            .measurements(&abacus, lglp_registry::ONNX, None)
            .expect("measured")
    };
    let before = measured();
    assert_eq!(before.len(), 50);
    let again = onboard(&registry, &["--for", "onnx", "--budget", "50", "--until", "mape=50"]);
    assert!(again.contains("version 2"), "{again}");
    assert_eq!(measured(), before, "what is measured is not measured again");
}
