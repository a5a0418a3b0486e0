//! A worker's token that goes on with what another worker has leased.

use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

use super::staff::{Staff, call, measuring, now, registration};

const INSTANCE: &str = "0123456789abcdef";

/// Registers a worker of the target `box`, under an instance.
fn register(server: &Server, token: &str, worker: &str, instance: &str) -> (u16, Value) {
    let setup = json!({ "runtime": "onnxruntime", "batch_size": 1 });
    let mut body = registration("box", &json!({ "cpu": "Abacus" }), Some(setup));
    body["instance"] = json!(instance);
    call(server, Some(token), "PUT", &format!("/v1/workers/{worker}"), &body)
}

fn lease(server: &Server, token: &str, worker: &str, instance: &str) -> (u16, Value) {
    let ask = json!({ "instance": instance, "wait_s": 0, "sent_at": now() });
    call(
        server,
        Some(token),
        "POST",
        &format!("/v1/workers/{worker}/lease"),
        &ask,
    )
}

/// The story: every token that may read a target saw holder and fencing token of a lease, and every worker's token of that
/// target could send measurements by them, end the job, or give it back: labels stood in another's name.
#[test]
fn only_the_token_that_registered_a_worker_speaks_for_it() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let other = registry.token("wes", "worker", &["--hardware", "box"]);
    let server = registry.serve();
    assert_eq!(register(&server, &staff.worker, "wim", INSTANCE).0, 200);
    let (status, job) = call(
        &server,
        Some(&staff.operator),
        "POST",
        "/v1/box/jobs",
        &measuring(json!({})),
    );
    assert_eq!(status, 202, "{job}");
    let (status, work) = lease(&server, &staff.worker, "wim", INSTANCE);
    assert_eq!(status, 200, "{work}");
    let fencing = &work["job"]["lease"]["fencing"];
    let job = format!("/v1/jobs/{}", work["job"]["id"]);
    let calls = [
        ("heartbeat", json!({ "fencing": fencing, "sent_at": now() })),
        ("batch", json!({ "fencing": fencing, "limit": 1 })),
        (
            "measurements",
            json!({ "fencing": fencing, "measurements": [], "sent_at": now() }),
        ),
        ("finish", json!({ "fencing": fencing, "failed": "for fun" })),
        ("release", json!({ "fencing": fencing })),
    ];
    for token in [&other, &staff.operator, &staff.admin] {
        for (what, body) in &calls {
            let (status, problem) = call(&server, Some(token), "POST", &format!("{job}/{what}"), body);
            assert_eq!(
                (status, &problem["type"]),
                (409, &json!("urn:lglp:problem:stale-lease")),
                "{what}: {problem}"
            );
        }
        // Asking for work in another's name would take its lease back.
        let (status, problem) = lease(&server, token, "wim", INSTANCE);
        assert_eq!(
            (status, &problem["type"]),
            (409, &json!("urn:lglp:problem:stale-instance")),
            "{problem}"
        );
        // So would registering as the very same process.
        let (status, problem) = register(&server, token, "wim", INSTANCE);
        assert_eq!(
            (status, &problem["type"]),
            (409, &json!("urn:lglp:problem:stale-instance")),
            "{problem}"
        );
        let reference = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "latency_ms": 1.0 });
        let calibration = json!({ "instance": INSTANCE, "reference": reference });
        let (status, problem) = call(
            &server,
            Some(token),
            "POST",
            "/v1/workers/wim/calibration",
            &calibration,
        );
        assert_eq!(status, 409, "{problem}");
    }
    let sign_off = format!("/v1/workers/wim?instance={INSTANCE}");
    assert_eq!(call(&server, Some(&other), "DELETE", &sign_off, &json!({})).0, 409);

    // Nobody but the worker is told by what it holds the lease.
    for path in [job.clone(), "/v1/jobs".into(), "/v1/workers".into()] {
        let (status, seen) = server.call_as(&staff.viewer, "GET", &path, None);
        assert_eq!(status, 200);
        let text = seen.to_string();
        assert!(text.contains("wim") && !text.contains(INSTANCE), "{path}: {text}");
        assert!(!text.contains("\"fencing\""), "{path}: {text}");
    }

    // Its own token goes on, as before.
    for (what, body) in calls.iter().filter(|(what, _)| *what != "finish") {
        let (status, answer) = call(&server, Some(&staff.worker), "POST", &format!("{job}/{what}"), body);
        assert_eq!(status, 200, "{what}: {answer}");
    }
}

/// Another worker of the target may still take a name over, as a new process: what the one before had leased is queued again.
#[test]
fn whoever_takes_a_name_over_takes_no_lease_with_it() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let other = registry.token("wes", "worker", &[]);
    let server = registry.serve();
    assert_eq!(register(&server, &staff.worker, "wim", INSTANCE).0, 200);
    let job = measuring(json!({}));
    assert_eq!(
        call(&server, Some(&staff.operator), "POST", "/v1/box/jobs", &job).0,
        202
    );
    let (_, work) = lease(&server, &staff.worker, "wim", INSTANCE);
    let heartbeat = json!({ "fencing": work["job"]["lease"]["fencing"], "sent_at": now() });
    let path = format!("/v1/jobs/{}/heartbeat", work["job"]["id"]);
    assert_eq!(register(&server, &other, "wim", "fedcba9876543210").0, 200);
    for token in [&other, &staff.worker] {
        assert_eq!(call(&server, Some(token), "POST", &path, &heartbeat).0, 409);
    }
    let (status, work) = lease(&server, &other, "wim", "fedcba9876543210");
    assert_eq!(status, 200, "{work}");
    let heartbeat = json!({ "fencing": work["job"]["lease"]["fencing"], "sent_at": now() });
    assert_eq!(call(&server, Some(&staff.worker), "POST", &path, &heartbeat).0, 409);
    assert_eq!(call(&server, Some(&other), "POST", &path, &heartbeat).0, 200);
}
