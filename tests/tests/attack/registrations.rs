//! Registering: what a refused registration leaves behind, how large what is registered may be, and how much of it one token may.

use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

use super::staff::{Staff, call, measuring, registration};

fn audited(server: &Server, admin: &str) -> u64 {
    let (_, head) = server.call_as(admin, "GET", "/v1/audit/head", None);
    head["entries"].as_u64().expect("a number")
}

fn setup() -> Value {
    json!({ "runtime": "onnxruntime", "settings": {}, "batch_size": 1 })
}

/// A worker's registration was answered 422, and had created its target for good, since the target was written before the
/// worker was looked at.
#[test]
fn a_registration_that_is_refused_leaves_nothing() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let before = audited(&server, &staff.admin);
    let good = registration("box", &json!({ "cpu": "Abacus 3000" }), Some(setup()));
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).expect("a place") = value;
        body
    };
    for (body, pointer) in [
        (with("/instance", json!("short")), "/instance"),
        (with("/version", json!("")), "/version"),
        (with("/version", json!("v".repeat(100 << 10))), "/version"),
        (
            with("/fingerprint", json!({ "cpu": "x".repeat(100 << 10) })),
            "/fingerprint",
        ),
        (with("/setup/batch_size", json!(0)), "/setup/batch_size"),
        (with("/setup/runtime", json!("")), "/setup/runtime"),
        (with("/setup/runtime", json!("a\u{1b}[2J")), "/setup/runtime"),
        (with("/setup/runtime", json!("r".repeat(100 << 10))), "/setup/runtime"),
        (
            with("/setup/settings", json!({ "threads": "x".repeat(100 << 10) })),
            "/setup/settings",
        ),
        (with("/sent_at", json!("yesterday")), "/sent_at"),
    ] {
        let (status, problem) = call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &body);
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{problem}"
        );
        for path in ["/v1/hardware", "/v1/workers"] {
            let (_, listed) = server.call_as(&staff.admin, "GET", path, None);
            let list = listed
                .as_object()
                .and_then(|o| o.values().next())
                .expect("a list")
                .clone();
            assert_eq!(list, json!([]), "{pointer} was refused, and is there");
        }
    }
    assert_eq!(audited(&server, &staff.admin), before);
    assert_eq!(
        call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &good).0,
        200
    );
    assert_eq!(audited(&server, &staff.admin), before + 2, "the target, and the worker");
}

/// A fingerprint of 40 MiB went into the listing, and twice into the audit log, for good; so did a reason, a note, a parameter.
/// What is too large names the field, its size and the limit.
#[test]
fn nothing_large_enters_the_registry() {
    let registry = Registry::default();
    registry.import(120);
    registry.train("linear");
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let large = "x".repeat(200 << 10);
    let target = json!({ "name": "box", "runtime": "onnxruntime", "settings": {}, "fingerprint": { "cpu": "Abacus" } });
    let with = |body: &Value, pointer: &str, value: Value| {
        let mut body = body.clone();
        *body.pointer_mut(pointer).expect("a place") = value;
        body
    };
    let hardware = lglp_tests::HARDWARE;
    let (_, measured) = server.call_as(
        &staff.viewer,
        "GET",
        &format!("/v1/{hardware}/measurements?space=mobilenetv3"),
        None,
    );
    let digest = measured[0]["digest"].clone();
    let measurement = {
        let mut fresh = measured[0].clone();
        fresh["round"] = json!(7);
        fresh["samples"] = json!([]);
        fresh
    };
    let exclusion = json!({ "exclusions": [
        { "space": "mobilenetv3", "digest": digest, "round": 0, "reason": "odd", "evidence": {} }
    ] });
    let dataset = json!({ "space": "mobilenetv3", "rows": 0, "origin": "here", "creator": "", "content": "" });
    let alias = json!({ "version": 1, "reason": "why" });
    let traffic = json!({ "canary": null, "shadow": null, "reason": "why" });
    let gate = json!({ "rules": {}, "reason": "why" });
    let many = |count: usize| Value::Array(vec![measured[0]["samples"][0].clone(); count]);
    let flags = Value::Array(vec![json!("wide"); 100_000]);
    let (put, post) = ("PUT", "POST");
    let path = |rest: &str| format!("/v1/{hardware}/{rest}");
    for (method, path, body, pointer) in [
        (
            put,
            "/v1/hardware/box".to_owned(),
            with(&target, "/fingerprint", json!({ "cpu": large })),
            "/fingerprint",
        ),
        (
            put,
            "/v1/hardware/box".to_owned(),
            with(&target, "/settings", json!({ "threads": large })),
            "/settings",
        ),
        (
            put,
            "/v1/hardware/box".to_owned(),
            with(&target, "/runtime", json!(large)),
            "/runtime",
        ),
        (
            post,
            path("measurements"),
            json!([with(&measurement, "/process", json!(large))]),
            "/process",
        ),
        (
            post,
            path("measurements"),
            json!([with(&measurement, "/statistic", json!(large))]),
            "/statistic",
        ),
        (
            post,
            path("measurements"),
            json!([with(&measurement, "/protocol", json!({ "a": large }))]),
            "/protocol",
        ),
        (
            post,
            path("measurements"),
            json!([with(&measurement, "/flags", flags)]),
            "/flags",
        ),
        (
            post,
            path("measurements"),
            json!([with(&measurement, "/samples", many(100_010))]),
            "/samples",
        ),
        (
            post,
            path("exclusions"),
            with(&exclusion, "/exclusions/0/reason", json!(large)),
            "/reason",
        ),
        (
            post,
            path("exclusions"),
            with(&exclusion, "/exclusions/0/evidence", json!(large)),
            "/evidence",
        ),
        (
            post,
            path("datasets"),
            with(&dataset, "/origin", json!(large)),
            "/origin",
        ),
        (
            put,
            path("aliases/production"),
            with(&alias, "/reason", json!(large)),
            "/reason",
        ),
        (put, path("traffic"), with(&traffic, "/reason", json!(large)), "/reason"),
        (put, path("gate"), with(&gate, "/reason", json!(large)), "/reason"),
    ] {
        let authorization = lglp_tests::bearer(&staff.admin);
        let headers = [("Authorization", authorization.as_str()), ("If-Match", "\"0\"")];
        let (status, problem) = server.call(method, &path, &headers, Some(&body.to_string()));
        let fault = &problem["errors"][0];
        let place = fault["pointer"].as_str().unwrap_or_default();
        assert!(status == 422 && place.contains(pointer), "{path} {pointer}: {problem}");
        let said = fault["detail"].as_str().expect("a detail");
        assert!(
            said.contains("at most") && said.len() < 1_000,
            "{path} {pointer}: {said}"
        );
    }
    // What a job is told may be as long as its body.
    let job = measuring(json!({ "settings": { "threads": [&large, &large] } }));
    assert_eq!(
        server
            .call_as(&staff.admin, post, &path("jobs"), Some(&job.to_string()))
            .0,
        413
    );
    let (_, log) = server.call_as(&staff.admin, "GET", "/v1/audit", None);
    assert!(
        log.to_string().len() < 1 << 20,
        "the audit log has grown by what was refused"
    );
}

/// One worker's token made 183 targets in five seconds; none of them can ever be deleted.
#[test]
fn a_token_registers_so_much_and_no_more() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let fingerprint = json!({ "cpu": "Abacus 3000" });
    let register = |token: &str, worker: &str, hardware: &str| {
        let body = registration(hardware, &fingerprint, Some(setup()));
        call(&server, Some(token), "PUT", &format!("/v1/workers/{worker}"), &body)
    };
    let targets: Vec<(u16, Value)> = (0..183)
        .map(|at| register(&staff.worker, "wim", &format!("box-{at}")))
        .collect();
    let made = targets.iter().filter(|(status, _)| *status == 200).count();
    assert!((4..=32).contains(&made), "{made} targets by one worker's token");
    let (status, problem) = targets.last().expect("many");
    let said = problem["detail"].as_str().expect("a detail");
    assert_eq!(
        (*status, &problem["type"]),
        (403, &json!("urn:lglp:problem:quota-reached")),
        "{problem}"
    );
    assert!(said.contains("wim") && said.contains("admin"), "what to do: {said}");
    let workers = (0..183).map(|at| register(&staff.worker, &format!("wim-{at}"), "box-0"));
    let made = workers.filter(|(status, _)| *status == 200).count();
    assert!((4..=64).contains(&made), "{made} workers by one worker's token");
    // What is there is as usable as before, and others are not concerned.
    assert_eq!(register(&staff.worker, "wim", "box-1").0, 200);
    assert_eq!(register(&staff.operator, "oda", "another").0, 200);
    for at in 0..80 {
        assert_eq!(
            register(&staff.admin, "ann", &format!("fleet-{at}")).0,
            200,
            "an admin is not limited"
        );
    }
    let operators = (0..600).map(|at| {
        let body = json!({ "name": format!("put-{at}"), "runtime": "onnxruntime", "settings": {}, "fingerprint": fingerprint });
        call(&server, Some(&staff.operator), "PUT", &format!("/v1/hardware/put-{at}"), &body).0
    });
    let made = operators.filter(|status| *status == 200).count();
    assert!((32..=512).contains(&made), "{made} targets by one operator's token");
}

/// A worker that is another machine each time it registers wrote two fingerprints into the audit log each time, for good.
#[test]
fn a_worker_that_changes_all_the_time_is_slowed_down() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let before = audited(&server, &staff.admin);
    let register = |cpu: &str| {
        let body = registration("box", &json!({ "cpu": cpu }), Some(setup()));
        call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &body)
    };
    assert_eq!(register("first").0, 200);
    let answers: Vec<(u16, Value)> = (0..200).map(|at| register(&at.to_string())).collect();
    let (status, problem) = answers.last().expect("many");
    assert_eq!(*status, 429, "{problem}");
    let written = audited(&server, &staff.admin) - before;
    assert!(written < 100, "{written} entries of the audit log");
    let another = json!({ "cpu": "first" });
    let body = registration("box", &another, None);
    let (status, answer) = call(&server, Some(&staff.operator), "PUT", "/v1/workers/oda", &body);
    assert_eq!(status, 200, "others are not concerned: {answer}");
}
