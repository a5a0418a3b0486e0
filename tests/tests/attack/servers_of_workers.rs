//! Servers that mean harm to the machines of their workers, or whose answers come from elsewhere.

use std::process::{Command, Stdio};
use std::sync::Arc;

use lglp_tests::tampering::tampering;
use lglp_tests::worker::Worker;
use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

const TARGET: &str = "box";

/// A job of a few architectures for a worker.
fn job(server: &Server) {
    let parameters = json!({ "space": "mobilenetv3", "count": 2, "budget_s": 0.05 });
    let body = json!({ "kind": "measure", "parameters": parameters }).to_string();
    let (status, job) = server.post(&format!("/v1/{TARGET}/jobs"), &body);
    assert_eq!(status, 202, "{job}");
}

/// A worker of a server, once without a job so that the target is there.
fn registered(registry: &Registry, server: &Server) {
    let more = ["--hardware", TARGET, "--runtime", "onnxruntime", "--once"];
    let mut worker = Worker::start(registry.worker_command(&server.base, "w", &more));
    assert!(worker.ended().success(), "{:?}", worker.events());
}

/// What a worker says that gets the lease of a job rewritten, and ends.
fn with_lease(rewrite: impl Fn(&mut Value) + Send + Sync + 'static) -> (String, Option<i32>) {
    let registry = Registry::default();
    let server = registry.serve();
    registered(&registry, &server);
    job(&server);
    let url = tampering(
        &server.base,
        Arc::new(move |asked, answered| {
            if asked.ends_with("/lease") {
                rewrite(answered);
            }
        }),
    );
    let mut command = registry.worker_command(&url, "w", &["--hardware", TARGET, "--once"]);
    let ended = command.output().expect("the program runs");
    let said = [ended.stdout, ended.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), ended.status.code())
}

/// The story: what the server said of how to measure was done as it was. A budget below 0 or of 1e300 s ended the worker by a panic, 2^63
/// warm-up runs kept it from ending at all.
#[test]
#[ignore = "takes long"]
fn a_protocol_out_of_all_bounds_is_refused() {
    for (field, value) in [
        ("budget_s", json!(-1.0)),
        ("budget_s", json!(1e300)),
        ("warm_up", json!(1_u64 << 63)),
        ("most_pairs", json!(1_u64 << 40)),
        ("attempts", json!(1_u64 << 63)),
        ("wide", json!(-1.0)),
    ] {
        let (said, status) = with_lease(move |work| work["protocol"][field] = value.clone());
        assert_eq!(status, Some(1), "{field}: {said}");
        assert!(
            said.contains(&format!("protocol is not understood: {field} is")),
            "{field}: {said}"
        );
    }
}

/// The story: answers were read up to a gigabyte, which as values took seventeen; and flags of megabytes went into the spool with every
/// measurement.
#[test]
#[ignore = "takes long"]
fn an_answer_that_is_far_too_long_is_not_read_and_flags_that_are_too_long_are_not_kept() {
    let (said, _) = with_lease(|work| work["batch"]["items"][0]["flags"] = json!(["x".repeat(5000)]));
    assert!(said.contains("flags of 5000 bytes"), "{said}");

    let registry = Registry::default();
    let server = registry.serve();
    registered(&registry, &server);
    let long = Value::from("x".repeat(8 << 20));
    let url = tampering(
        &server.base,
        Arc::new(move |asked, answered| {
            if asked.starts_with("PUT ") {
                answered["more"] = long.clone();
            }
        }),
    );
    let mut worker = Worker::start(registry.worker_command(&url, "w", &["--hardware", TARGET]));
    let lost = worker.wait_for("server_lost", 1);
    assert!(lost["reason"].as_str().expect("a reason").contains("limit"), "{lost}");
    worker.drain();
}

/// The story: an address without a scheme, a token with a control character: the worker said `server lost` and tried for ever, also with
/// `--once`.
#[test]
fn what_can_be_no_server_ends_the_worker_at_once() {
    let registry = Registry::default();
    for (url, token, what) in [
        ("localhost:8080", "", "is no server's address"),
        ("htp://localhost", "", "is no server's address"),
        ("http://127.0.0.1:1", "a\u{1}b", "characters that no token has"),
    ] {
        let mut command = registry.worker_command(url, "w", &["--hardware", TARGET, "--once"]);
        if !token.is_empty() {
            command.env("LGLP_TOKEN", token);
        }
        let ended = command.output().expect("the program runs");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{url}: {said}");
        assert!(said.contains(what), "{url}: {said}");
    }
}

/// The story: ONNX Runtime wrote into its user's cache and asked for an address of its maker while networks were timed, although its
/// environment was told not to.
#[test]
#[ignore = "takes long"]
fn measuring_leaves_nothing_in_the_home_of_its_user() {
    let registry = Registry::default();
    let home = tempfile::tempdir().expect("a folder");
    let mut command: Command = registry.command(&[
        "measure",
        "--hardware",
        TARGET,
        "--space",
        "mobilenetv3",
        "--count",
        "1",
        "--budget",
        "0.05",
    ]);
    command
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .env_remove("XDG_CACHE_HOME");
    let ended = command.stdin(Stdio::null()).output().expect("the program runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let found = std::fs::read_dir(home.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    let of_others: Vec<_> = found
        .filter(|name| !name.to_string_lossy().starts_with("lglp"))
        .collect();
    assert!(of_others.is_empty(), "{of_others:?}");
}
