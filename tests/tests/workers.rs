//! A worker and its server, as their owners use them: registering, measuring, draining, `lglp worker doctor`.

use lglp_tests::worker::{Worker, runtimes};
use lglp_tests::{HARDWARE, Registry, Server, python, release};
use serde_json::{Value, json};

const SPACE: &str = "ofa-mobilenetv3";

/// Submits a job that measures architectures as quickly as possible; its path.
fn measure(server: &Server, hardware: &str, count: usize, seed: u64) -> String {
    let parameters = json!({ "space": SPACE, "count": count, "seed": seed, "budget_s": 0.05 });
    let body = json!({ "kind": "measure", "parameters": parameters }).to_string();
    let (status, job) = server.post(&format!("/v1/{hardware}/jobs"), &body);
    assert_eq!(status, 202, "{job}");
    format!("/v1/jobs/{}", job["id"])
}

fn ended(server: &Server, path: &str) -> Value {
    server.wait(path, |job| !job["finished_at"].is_null())
}

/// The measurements of a target.
fn measurements(server: &Server, hardware: &str) -> Vec<Value> {
    let (status, found) = server.get(&format!("/v1/{hardware}/measurements?space={SPACE}"));
    assert_eq!(status, 200, "{found}");
    found.as_array().expect("a list").clone()
}

fn only_worker(server: &Server) -> Value {
    let mut workers = server.get("/v1/workers").1["workers"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(workers.len(), 1, "{workers:?}");
    workers.remove(0)
}

#[test]
fn a_worker_creates_its_target_measures_and_drains() {
    let registry = Registry::default();
    let server = registry.serve();
    let mut worker = registry.worker(&server.base, "edge", "box");
    worker.wait_for("registered", 1);
    let job = measure(&server, "box", 3, 1);
    let done = ended(&server, &job);
    assert_eq!(
        (&done["state"], &done["result"]["total"]),
        (&json!("succeeded"), &json!(3)),
        "{done}"
    );

    let found = measurements(&server, "box");
    assert_eq!(found.len(), 3);
    for measurement in &found {
        assert_eq!(measurement["worker"], "edge");
        assert_eq!(measurement["protocol"]["budget_s"], 0.05);
        assert!(
            measurement["samples"]
                .as_array()
                .is_some_and(|samples| samples.len() >= 6)
        );
    }
    let told = worker.told("measured");
    for told in &told {
        let is_it = |found: &&Value| found["architecture"] == told["architecture"];
        let recorded = found.iter().find(is_it).expect("what was measured is recorded");
        assert_eq!(recorded["latency_ms"], told["latency_ms"]);
    }
    assert_eq!(told.len(), 3);
    let seen = only_worker(&server);
    assert_eq!(
        (&seen["name"], &seen["measured"]),
        (&json!("edge"), &json!(3)),
        "{seen}"
    );
    assert!(
        seen["clock_skew_s"].as_f64().is_some_and(|skew| skew.abs() < 60.0),
        "{seen}"
    );
    assert!(seen["reference_ratio"].as_f64().is_some(), "{seen}");

    worker.drain();
    assert_eq!(worker.wait_for("drained", 1)["unsent"], 0);
    assert_eq!(only_worker(&server)["state"], "gone");
    registry.ok(&["registry", "verify"]);
}

#[test]
#[ignore = "takes long"]
fn a_worker_that_drains_gives_its_job_back_and_another_goes_on() {
    let registry = Registry::default();
    let server = registry.serve();
    let mut worker = registry.worker(&server.base, "edge", "box");
    worker.wait_for("registered", 1);
    // Another worker is known and away: without any the server would measure on this machine itself.
    let other = registry.worker(&server.base, "other", "box");
    other.wait_for("registered", 1);
    drop(other);
    let job = measure(&server, "box", 12, 1);
    worker.wait_for("measured", 2);
    worker.drain();
    let measured = worker.told("measured").len();
    // The one that is away may have it by now: the server notices late that its call for work is dead.
    let left = server.get(&job).1;
    let holder = left["lease"]["holder"].as_str().unwrap_or_default();
    assert!(left["finished_at"].is_null() && !holder.starts_with("edge@"), "{left}");
    // What was in hand is finished, and with the server.
    assert_eq!(measurements(&server, "box").len(), measured);
    assert!(measured < 12, "it was to be drained in the midst of a job");
    // It comes back, once: it ends by itself where all is done.
    let more = ["--hardware", "box", "--once"];
    let mut other = Worker::start(registry.worker_command(&server.base, "other", &more));
    assert!(other.ended().success());
    assert_eq!(ended(&server, &job)["state"], "succeeded");
    assert_eq!(other.told("measured").len(), 12 - measured, "nothing is measured again");
    assert_eq!(measurements(&server, "box").len(), 12);
}

#[test]
#[ignore = "takes long"]
fn a_cancelled_job_is_given_back_by_its_worker() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = registry.worker(&server.base, "edge", "box");
    worker.wait_for("registered", 1);
    let job = measure(&server, "box", 500, 1);
    worker.wait_for("measured", 1);
    assert_eq!(server.post(&format!("{job}/cancel"), "").0, 200);
    assert_eq!(ended(&server, &job)["state"], "cancelled");
    worker.wait_for("released", 1);
    // It is there for the next.
    let next = measure(&server, "box", 2, 7);
    assert_eq!(ended(&server, &next)["state"], "succeeded");
}

#[test]
fn a_target_that_is_not_there_is_created_on_purpose_only() {
    let registry = Registry::default();
    let server = registry.serve();
    let output = registry
        .worker_command(&server.base, "edge", &["--hardware", "bxo"])
        .output()
        .expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        error.contains("no hardware target `bxo`") && error.contains("--runtime"),
        "{error}"
    );
    assert_eq!(server.get("/v1/hardware").1["hardware"], json!([]));
}

#[test]
#[ignore = "takes long"]
fn a_worker_on_another_machine_measures_nothing_until_it_is_confirmed() {
    let registry = Registry::default();
    registry.import(1);
    let server = registry.serve();
    let worker = Worker::start(registry.worker_command(&server.base, "edge", &["--hardware", HARDWARE]));
    let refused = worker.wait_for("unconfirmed", 1);
    let reason = refused["reason"].as_str().expect("a reason");
    assert!(reason.contains("lglp workers confirm edge"), "{reason}");
    let seen = only_worker(&server);
    assert_eq!(seen["state"], "unconfirmed");
    assert!(seen["difference"].is_string(), "{seen}");
    registry.ok(&["workers", "confirm", "edge", "--reason", "the same board"]);
    worker.wait_for("registered", 1);
    assert_eq!(only_worker(&server)["state"], "idle");
}

#[test]
fn a_machine_that_is_far_off_its_target_refuses_to_measure() {
    let registry = Registry::default();
    let server = registry.serve();
    // The target's fingerprint is this machine's, its reference network ten times as fast as it can be here.
    let mut first = registry.worker(&server.base, "first", "box");
    first.wait_for("registered", 1);
    let job = measure(&server, "box", 1, 1);
    ended(&server, &job);
    first.drain();
    let mut target = server.get("/v1/hardware/box").1;
    let latency_ms = target["reference"]["latency_ms"].as_f64().expect("calibrated");
    target["name"] = json!("fast");
    target["reference"]["latency_ms"] = json!(latency_ms / 10.0);
    for field in ["created_at", "created_by", "confirmed"] {
        target.as_object_mut().expect("an object").remove(field);
    }
    let (status, put) = server.call("PUT", "/v1/hardware/fast", &[], Some(&target.to_string()));
    assert!(status < 300, "{put}");

    let worker = Worker::start(registry.worker_command(&server.base, "second", &["--hardware", "fast"]));
    worker.wait_for("registered", 1);
    let job = measure(&server, "fast", 1, 1);
    let unlike = worker.wait_for("unlike", 1);
    assert!(unlike["ratio"].as_f64().is_some_and(|ratio| ratio > 1.25), "{unlike}");
    assert!(measurements(&server, "fast").is_empty());
    assert_ne!(server.get(&job).1["state"], "succeeded");
}

#[test]
#[ignore = "takes long"]
fn another_process_of_the_name_ends_the_one_before() {
    let registry = Registry::default();
    let server = registry.serve();
    let mut first = registry.worker(&server.base, "edge", "box");
    first.wait_for("registered", 1);
    let more = ["--hardware", "box"];
    // In the same folder it does not start.
    let same = registry
        .worker_command(&server.base, "edge", &more)
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&same.stderr).contains("in use by another worker"));
    let elsewhere = registry.state("elsewhere");
    let second = Worker::start(registry.worker_command_in(&elsewhere, &server.base, "edge", &more));
    second.wait_for("registered", 1);
    assert!(!first.ended().success());
    let job = measure(&server, "box", 1, 1);
    assert_eq!(ended(&server, &job)["state"], "succeeded");
}

#[test]
fn the_doctor_says_what_a_machine_can_measure_and_what_is_missing() {
    let registry = Registry::default();
    registry.import(1);
    let viewer = registry.token("eyes", "viewer", &[]);
    let hand = registry.token("edge", "worker", &[]);
    let server = registry.serve();
    let doctor = |token: &str, more: &[&str]| {
        let mut command = registry.command(&[&["worker", "doctor", "--json"], more].concat());
        command.arg("--plugins").arg(runtimes(registry.folder.path()));
        command.env("LGLP_TOKEN", token).env("TMPDIR", registry.folder.path());
        let output = command.output().expect("the program runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        (output.status.success(), report)
    };
    let finding = |report: &Value, what: &str| {
        let findings = report["findings"].as_array().expect("findings").clone();
        findings
            .into_iter()
            .find(|finding| finding["what"] == what)
            .expect("it is looked at")
    };
    let at = ["--server", server.base.as_str()];

    let (can, report) = doctor(&hand, &at);
    assert!(can, "{report}");
    assert_eq!(report["measures_with"], json!(["onnxruntime"]));
    for what in [
        "machine",
        "runtime onnxruntime",
        "state folder",
        "server",
        "clock",
        "token",
    ] {
        assert_eq!(finding(&report, what)["verdict"], "ok", "{report}");
    }
    let (_, report) = doctor(&viewer, &at);
    assert_eq!(finding(&report, "token")["verdict"], "missing");

    // Another machine than the target's.
    let (can, report) = doctor(&hand, &[&at[..], &["--hardware", HARDWARE]].concat());
    assert!(!can);
    let difference = finding(&report, &format!("target {HARDWARE}"));
    assert_eq!(difference["verdict"], "missing");
    assert!(
        difference["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("lglp workers confirm"))
    );

    // Without its native library a runtime says so, and the machine measures nothing.
    let nowhere = registry.folder.path().join("nowhere");
    let mut command = registry.command(&["worker", "doctor", "--json"]);
    command
        .arg("--plugins")
        .arg(runtimes(registry.folder.path()))
        .env("LGLP_NATIVE", &nowhere);
    let output = command.output().expect("the program runs");
    assert!(!output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["measures_with"], json!([]));
}

/// A program that times networks, but those above some size fail.
const FRAIL: &str = r#"
import json, os, sys
size = os.path.getsize(sys.argv[1]) / 1e6
if size > float(os.environ["MOST_MB"]):
    sys.exit("out of memory")
print(json.dumps({"samples": [{"wall_ms": size}] * 20, "device": "Abacus", "runtime": "beads"}))
"#;

/// A worker whose device is the frail program.
fn frail(registry: &Registry, server: &Server, most_mb: f64) -> Worker {
    let folder = registry.folder.path();
    let program = folder.join("frail.py");
    std::fs::write(&program, FRAIL).expect("a file");
    let environment = json!({ "MOST_MB": most_mb.to_string() });
    let settings = [
        format!("command={}", json!([python(), program, "{onnx}"])),
        format!("environment={environment}"),
    ];
    let more = [
        "--hardware",
        "box",
        "--runtime",
        "command",
        "--set",
        &settings[0],
        "--set",
        &settings[1],
    ];
    Worker::start(registry.worker_command(&server.base, "edge", &more))
}

/// One network that the device cannot run must not keep a job running for ever; what was measured before stays.
#[test]
fn an_architecture_that_fails_time_and_again_fails_its_job() {
    let registry = Registry {
        plugins: Some(release().join("plugins")),
        ..Registry::default()
    };
    let server = registry.serve();
    // The reference network is smaller, some of the architectures are larger.
    let worker = frail(&registry, &server, 25.0);
    worker.wait_for("registered", 1);
    let job = ended(&server, &measure(&server, "box", 40, 1));
    assert_eq!(job["state"], "failed", "{job}");
    let error = job["error"].as_str().expect("a reason");
    assert!(
        error.contains("failed 3 times") && error.contains("out of memory"),
        "{error}"
    );
    assert!(error.contains("ofa-mobilenetv3@"), "it names the architecture: {error}");
    let (measured, told) = (measurements(&server, "box").len(), worker.told("measured").len());
    assert_eq!(measured, told, "what was measured before is kept");
}
