//! Measuring jobs whose plan is large, or becomes large when it is read.

use lglp_tests::raw::{memory, repeated};
use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

use super::staff::{SPACE, Staff, call, measuring, now, registration};

/// Stores a blob; its digest.
fn stored(server: &Server, token: &str, content: &str) -> Value {
    let (status, blob) = server.post_bytes_as(token, "/v1/blobs", content.as_bytes());
    assert_eq!(status, 201, "{blob}");
    blob["digest"].clone()
}

/// Submits a job again and again, at once; the answers.
fn all_at_once(server: &Server, token: &str, times: usize, job: &Value) -> Vec<(u16, Value)> {
    std::thread::scope(|scope| {
        let submit = || call(server, Some(token), "POST", "/v1/box/jobs", job);
        let asking: Vec<_> = (0..times).map(|_| scope.spawn(submit)).collect();
        asking
            .into_iter()
            .map(|answer| answer.join().expect("no panic"))
            .collect()
    })
}

/// The story: a plan of 64 MiB was read for each request that named it, and became 600 MiB of empty texts before anybody
/// counted them; six requests at once took gigabytes that no budget knew of.
#[test]
fn a_plan_of_millions_takes_no_memory() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let large = 63 << 20;
    // As large as a plan may be, so that reading it is what must stop.
    let fitting = 31 << 20;
    for (content, said) in [
        (repeated("{\"architectures\":[", "\"\"", "]}", large), "MiB"),
        (repeated("{\"architectures\":[", "\"\"", "]}", fitting), "100000"),
        (
            repeated("{\"architectures\":[\"a\"],\"flags\":[[", "\"\"", "]]}", fitting),
            "flags",
        ),
        (
            repeated("{\"architectures\":[\"a\"],\"flags\":[", "[]", "]}", fitting),
            "flags",
        ),
        (format!("{{\"architectures\":[\"{}\"]}}", "a".repeat(fitting)), "16384"),
    ] {
        let plan = stored(&server, &staff.operator, &content);
        drop(content);
        let (before, _) = memory(&server);
        let job = measuring(json!({ "count": 0, "plan": plan }));
        let answers = all_at_once(&server, &staff.operator, 6, &job);
        let (_, peak) = memory(&server);
        assert!(peak < before + 250, "{said}: {before} MiB rose to {peak} MiB");
        for (status, problem) in answers {
            assert_eq!(status, 422, "{problem}");
            let fault = &problem["errors"][0];
            assert_eq!(fault["pointer"], "/parameters/plan", "{problem}");
            let detail = fault["detail"].as_str().unwrap_or_default();
            assert!(detail.contains(said) && detail.len() < 2_100, "{said}: {detail}");
        }
    }
}

/// The same with a plan that is as large as one may be, which the worker's every call for more read anew.
#[test]
#[ignore = "takes long"]
fn the_largest_plan_is_measured_in_little_memory() {
    let registry = Registry::default();
    let texts = registry.ok(&["sample", "--space", SPACE, "--count", "100000"]);
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let setup = json!({ "runtime": "onnxruntime", "batch_size": 1 });
    let body = registration("box", &json!({ "cpu": "Abacus" }), Some(setup));
    assert_eq!(
        call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &body).0,
        200
    );
    let architectures: Vec<&str> = texts.lines().collect();
    let plan = json!({ "architectures": architectures }).to_string();
    let plan = stored(&server, &staff.operator, &plan);
    let (before, _) = memory(&server);
    let job = measuring(json!({ "count": 0, "plan": plan }));
    for (status, job) in all_at_once(&server, &staff.operator, 6, &job) {
        assert_eq!(status, 202, "{job}");
    }
    let ask = json!({ "instance": "0123456789abcdef", "wait_s": 0, "sent_at": now() });
    let (status, work) = call(&server, Some(&staff.worker), "POST", "/v1/workers/wim/lease", &ask);
    assert_eq!(status, 200, "{work}");
    assert_eq!(work["batch"]["total"], 100_000);
    let ask = json!({ "fencing": work["job"]["lease"]["fencing"], "limit": 128 });
    let path = format!("/v1/jobs/{}/batch", work["job"]["id"]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (status, batch) = call(&server, Some(&staff.worker), "POST", &path, &ask);
                assert_eq!(status, 200, "{batch}");
                assert_eq!(batch["items"].as_array().map(Vec::len), Some(128));
            });
        }
    });
    let (_, peak) = memory(&server);
    assert!(peak < before + 250, "{before} MiB rose to {peak} MiB");
}
