//! Measuring with so many inputs at once that the networks take the server's memory.

use lglp_tests::raw::memory;
use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

use super::staff::{Staff, call, ended, measuring};

fn submit(server: &Server, token: &str, target: &str, more: Value) -> (u16, Value) {
    call(
        server,
        Some(token),
        "POST",
        &format!("/v1/{target}/jobs"),
        &measuring(more),
    )
}

/// The number that an error tells after a word.
fn told(detail: &str, after: &str) -> u64 {
    let rest = detail.split(after).nth(1).unwrap_or_else(|| panic!("{detail}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{detail}"))
}

/// The story: an operator measured with a batch of 512, and the networks took 5.6 GB in the server's process.
#[test]
#[ignore = "takes long"]
fn a_batch_that_does_not_fit_is_refused_and_the_largest_that_does_is_told() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve_with(&["--network-memory", "512"]);
    let (before, _) = memory(&server);
    let (status, problem) = submit(&server, &staff.operator, "box", json!({ "batch_size": 1024 }));
    let (_, peak) = memory(&server);
    if status == 202 {
        let job = ended(&server, &staff.admin, &problem);
        let (_, peak) = memory(&server);
        panic!("{before} MiB rose to {peak} MiB: {job}");
    }
    let fault = &problem["errors"][0];
    assert_eq!(
        (status, &fault["pointer"]),
        (422, &json!("/parameters/batch_size")),
        "{problem}"
    );
    let detail = fault["detail"].as_str().expect("a detail");
    assert!(detail.contains("--network-memory"), "{detail}");
    let largest = told(detail, "at most ");
    assert!(largest > 1 && largest < 1024, "{detail}");
    assert!(peak < before + 50, "{before} MiB rose to {peak} MiB");

    // What is told to fit does, and takes what was promised.
    let (status, job) = submit(&server, &staff.operator, "box", json!({ "batch_size": largest }));
    assert_eq!(status, 202, "{job}");
    let job = ended(&server, &staff.admin, &job);
    assert_eq!(job["state"], "succeeded", "{job}");
    let (_, peak) = memory(&server);
    assert!(peak < before + 700, "{before} MiB rose to {peak} MiB");
    // The same holds for a target that is there already, by whatever way.
    let (_, target) = server.call_as(&staff.viewer, "GET", "/v1/hardware/box", None);
    let mut large = json!({ "name": "large", "runtime": "onnxruntime", "settings": { "batch_size": 1024 } });
    large["fingerprint"] = target["fingerprint"].clone();
    let (status, put) = call(&server, Some(&staff.operator), "PUT", "/v1/hardware/large", &large);
    assert_eq!(status, 200, "{put}");
    let (status, problem) = submit(&server, &staff.operator, "large", json!({}));
    let fault = &problem["errors"][0];
    assert_eq!(
        (status, &fault["pointer"]),
        (422, &json!("/parameters/batch_size")),
        "{problem}"
    );
}
