//! The REST contract: `openapi/openapi.json` is current, and what the server answers is what it says.

mod plugins;
mod schema;

use lglp_tests::{HARDWARE, Registry, Server, python, readable, root};
use serde_json::{Value, json};

use self::schema::check;

fn document() -> Value {
    let text = std::fs::read_to_string(root().join("openapi/openapi.json")).expect("the contract");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_committed_contract_is_the_one_that_is_served() {
    let registry = Registry::default();
    let current = registry.json(&["openapi"]);
    assert!(
        document() == current,
        "openapi/openapi.json is out of date; write it anew with\n  target/release/lglp openapi > openapi/openapi.json"
    );
    let server = registry.serve();
    assert_eq!(server.get("/openapi.json"), (200, current));
    let (status, page) = server.get("/docs/");
    assert!(status == 200 && page.as_str().expect("a page").contains("swagger-ui"));
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(server.get(&format!("/docs/{asset}")).0, 200, "{asset} is vendored");
    }
}

/// Client generators refuse a document that only looks like OpenAPI.
#[test]
fn the_contract_is_valid_openapi() {
    let checked = std::process::Command::new(python())
        .args(["-m", "openapi_spec_validator"])
        .arg(root().join("openapi/openapi.json"))
        .output()
        .expect("Python with the reference packages; `make test-tools` installs it");
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{said}");
}

/// What an import of parts, and interventions, are answered. Nothing of the target is changed.
fn what_admins_take_back(document: &Value, server: &Server) {
    let target = format!("/v1/hardware/{HARDWARE}");
    let measurements = format!("/v1/{HARDWARE}/measurements");
    let rename = json!({ "to": "lab", "reason": "a trial" });
    let import = json!({ "parts": [format!("sha256:{}", "0".repeat(64))] });
    let calls = [
        (
            "delete",
            "/v1/hardware/{hardware}",
            format!("{target}?reason=a+trial"),
            Value::Null,
            409,
        ),
        (
            "post",
            "/v1/hardware/{hardware}/rename",
            format!("{target}/rename"),
            rename,
            409,
        ),
        (
            "delete",
            "/v1/{hardware}/measurements",
            format!("{measurements}?space=other&reason=a+trial&force=true"),
            Value::Null,
            422,
        ),
        (
            "post",
            "/v1/{hardware}/measurements/import",
            format!("{measurements}/import"),
            import,
            422,
        ),
    ];
    for (method, pattern, path, body, expected) in calls {
        let (status, answer) = server.call(&method.to_uppercase(), &path, &[], Some(&body.to_string()));
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(document, (method, pattern), status, &answer);
    }
}

/// A worker's calls, from registering to signing off; their paths.
fn what_workers_are_answered(document: &Value) -> Vec<&'static str> {
    let registry = Registry::default();
    let server = registry.serve();
    let (far, instance, sent_at) = ("far", "0123456789abcdef", "2026-01-31T12:00:00Z");
    let register = json!({
        "hardware": far, "instance": instance, "fingerprint": { "cpu": "Abacus" }, "version": "0.1.0", "sent_at": sent_at,
        "setup": { "runtime": "onnxruntime", "batch_size": 1 },
    });
    let mut other = register.clone();
    other["fingerprint"]["cpu"] = "Slide rule".into();
    let measure = json!({ "kind": "measure", "parameters": { "space": "ofa-mobilenetv3", "count": 1 } });
    let ask = json!({ "instance": instance, "wait_s": 0, "sent_at": sent_at });
    let reference = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "latency_ms": 5.0 });
    let calls = [
        ("put", "/v1/workers/{worker}", "/v1/workers/abacus", register, 200),
        ("put", "/v1/workers/{worker}", "/v1/workers/rule", other, 409),
        ("get", "/v1/workers", "/v1/workers", Value::Null, 200),
        (
            "post",
            "/v1/workers/{worker}/confirm",
            "/v1/workers/rule/confirm",
            json!({ "reason": "alike" }),
            200,
        ),
        ("post", "/v1/{hardware}/jobs", "/v1/far/jobs", measure, 202),
        (
            "post",
            "/v1/workers/{worker}/lease",
            "/v1/workers/abacus/lease",
            ask.clone(),
            200,
        ),
        (
            "post",
            "/v1/workers/{worker}/lease",
            "/v1/workers/nobody/lease",
            ask,
            404,
        ),
        (
            "post",
            "/v1/workers/{worker}/calibration",
            "/v1/workers/abacus/calibration",
            json!({ "instance": instance, "reference": reference }),
            200,
        ),
        (
            "post",
            "/v1/jobs/{id}/batch",
            "/v1/jobs/1/batch",
            json!({ "fencing": 1, "limit": 1 }),
            200,
        ),
        (
            "post",
            "/v1/jobs/{id}/heartbeat",
            "/v1/jobs/1/heartbeat",
            json!({ "fencing": 1, "sent_at": sent_at }),
            200,
        ),
        (
            "post",
            "/v1/jobs/{id}/measurements",
            "/v1/jobs/1/measurements",
            json!({ "fencing": 1, "measurements": [], "sent_at": sent_at }),
            200,
        ),
        (
            "post",
            "/v1/jobs/{id}/measurements",
            "/v1/jobs/1/measurements",
            json!({ "fencing": 9, "measurements": [], "sent_at": sent_at }),
            409,
        ),
        (
            "post",
            "/v1/jobs/{id}/finish",
            "/v1/jobs/1/finish",
            json!({ "fencing": 1 }),
            422,
        ),
        (
            "post",
            "/v1/jobs/{id}/release",
            "/v1/jobs/1/release",
            json!({ "fencing": 1 }),
            200,
        ),
    ];
    let mut tried = Vec::new();
    for (method, pattern, path, body, expected) in calls {
        let body = (!body.is_null()).then(|| body.to_string());
        let (status, answer) = server.call(&method.to_uppercase(), path, &[], body.as_deref());
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(document, (method, pattern), status, &answer);
        tried.push(pattern);
    }
    assert_eq!(server.call("DELETE", "/v1/workers/abacus", &[], None).0, 204);
    tried
}

#[test]
fn answers_are_what_the_contract_says() {
    let document = document();
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let measured = server.get(&format!("/v1/{HARDWARE}/measurements?space=mobilenetv3")).1[0].clone();
    let exclude = json!({
        "actor": "ann",
        "exclusions": [{
            "space": "mobilenetv3", "digest": measured["digest"], "round": 0, "reason": "an outlier", "evidence": {},
        }],
    });
    let post = |body: &Value| server.post(&format!("/v1/{HARDWARE}/exclusions"), &body.to_string());
    assert_eq!(post(&exclude), (200, json!({ "excluded": 1 })));
    assert_eq!(post(&exclude), (200, json!({ "excluded": 0 })));
    for (pointer, value, status) in [
        ("/exclusions/0/round", json!(9), 404),
        ("/exclusions/0/reason", json!("a whim"), 409),
        ("/exclusions/0/reason", json!(""), 422),
    ] {
        let mut wrong = exclude.clone();
        *wrong.pointer_mut(pointer).expect("a field") = value;
        let (found, problem) = post(&wrong);
        assert_eq!(found, status, "{pointer}: {problem}");
        check(&document, ("post", "/v1/{hardware}/exclusions"), status, &problem);
    }
    let submit = |body: &str| server.post(&format!("/v1/{HARDWARE}/jobs"), body);
    for (body, status) in [("{\"kind\": \"train\"}", 202), ("{\"kind\": \"dream\"}", 422)] {
        let (found, answer) = submit(body);
        assert_eq!(found, status, "{body}: {answer}");
        check(&document, ("post", "/v1/{hardware}/jobs"), status, &answer);
    }
    let (status, job) = server.post("/v1/jobs/1/cancel", "");
    assert_eq!(status, 200, "{job}");
    check(&document, ("post", "/v1/jobs/{id}/cancel"), 200, &job);
    // Nobody listens at the target: what came of a ping is an answer all the same.
    let webhook = json!({ "id": "ci", "url": "http://127.0.0.1:9/hook", "hardware": [HARDWARE] });
    let call = |method: &str, path: &str, body: &Value| server.call(method, path, &[], Some(&body.to_string()));
    for (method, pattern, path, body, expected) in [
        ("post", "/v1/webhooks", "/v1/webhooks", &webhook, 201),
        ("post", "/v1/webhooks", "/v1/webhooks", &webhook, 409),
        (
            "post",
            "/v1/webhooks",
            "/v1/webhooks",
            &json!({ "id": "ci", "url": "" }),
            422,
        ),
        (
            "post",
            "/v1/webhooks/{id}/ping",
            "/v1/webhooks/ci/ping",
            &Value::Null,
            200,
        ),
        (
            "post",
            "/v1/webhooks/{id}/ping",
            "/v1/webhooks/nobody/ping",
            &Value::Null,
            404,
        ),
        ("delete", "/v1/webhooks/{id}", "/v1/webhooks/nobody", &Value::Null, 404),
    ] {
        let (status, answer) = call(&method.to_uppercase(), path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(&document, (method, pattern), status, &answer);
    }
    let digest = server.get(&format!("/v1/{HARDWARE}/models/1")).1["content"]["training_log"].clone();
    let gets = [
        ("/v1/hardware", "/v1/hardware".to_owned()),
        ("/v1/hardware/{hardware}", format!("/v1/hardware/{HARDWARE}")),
        ("/v1/{hardware}/models", format!("/v1/{HARDWARE}/models")),
        ("/v1/{hardware}/models/{version}", format!("/v1/{HARDWARE}/models/1")),
        (
            "/v1/{hardware}/aliases/{alias}",
            format!("/v1/{HARDWARE}/aliases/production"),
        ),
        (
            "/v1/{hardware}/measurements",
            format!("/v1/{HARDWARE}/measurements?space=mobilenetv3"),
        ),
        (
            "/v1/{hardware}/exclusions",
            format!("/v1/{HARDWARE}/exclusions?space=mobilenetv3"),
        ),
        ("/v1/{hardware}/traffic", format!("/v1/{HARDWARE}/traffic")),
        ("/v1/{hardware}/savings", format!("/v1/{HARDWARE}/savings")),
        ("/v1/{hardware}/gate", format!("/v1/{HARDWARE}/gate")),
        ("/v1/{hardware}/validations", format!("/v1/{HARDWARE}/validations")),
        (
            "/v1/{hardware}/models/{version}/lineage",
            format!("/v1/{HARDWARE}/models/1/lineage"),
        ),
        (
            "/v1/{hardware}/models/{version}/diff/{other}",
            format!("/v1/{HARDWARE}/models/1/diff/1?count=20"),
        ),
        ("/v1/{hardware}/datasets", format!("/v1/{HARDWARE}/datasets")),
        ("/v1/jobs", "/v1/jobs".to_owned()),
        ("/v1/jobs/{id}", "/v1/jobs/1".to_owned()),
        ("/v1/jobs/{id}/events", "/v1/jobs/1/events".to_owned()),
        ("/v1/plugins", "/v1/plugins".to_owned()),
        ("/v1/spaces", "/v1/spaces".to_owned()),
        (
            "/v1/spaces/{space}/sample",
            "/v1/spaces/mobilenetv3/sample?count=3".to_owned(),
        ),
        ("/v1/{hardware}/spaces", format!("/v1/{HARDWARE}/spaces")),
        ("/v1/audit", "/v1/audit".to_owned()),
        ("/v1/audit/head", "/v1/audit/head".to_owned()),
        ("/v1/registry/verify", "/v1/registry/verify".to_owned()),
        ("/v1/events", "/v1/events".to_owned()),
        ("/v1/tokens", "/v1/tokens".to_owned()),
        ("/metrics", "/metrics".to_owned()),
        ("/v1/webhooks", "/v1/webhooks".to_owned()),
        ("/v1/webhooks/{id}", "/v1/webhooks/ci".to_owned()),
    ];
    let mut seen: Vec<&str> = vec![
        "/healthz",
        "/readyz",
        "/v1/blobs",
        "/v1/blobs/{digest}",
        "/v1/{hardware}/predict",
        "/v1/{hardware}/explain",
        "/v1/{hardware}/jobs",
        "/v1/jobs/{id}/cancel",
        "/v1/webhooks/{id}/ping",
        "/v1/{hardware}/models/{version}/bundle",
        "/v1/{hardware}/models/import",
        "/v1/{hardware}/aliases/{alias}/rollback",
        "/v1/{hardware}/validations/{number}",
        "/v1/{hardware}/validations/{number}/scatter.svg",
        "/v1/tokens/{id}",
        "/v1/registry/backup",
        "/v1/registry/gc",
        "/v1/hardware/{hardware}/rename",
        "/v1/{hardware}/measurements/import",
    ];
    seen.extend(what_workers_are_answered(&document));
    for (path, url) in &gets {
        let (status, answer) = server.get(url);
        assert_eq!(status, 200, "{url}: {answer}");
        // The document describes each event of a stream, not its text.
        if !url.ends_with("/events") || *path == "/v1/events" {
            check(&document, ("get", path), 200, &answer);
        }
        seen.push(path);
    }
    for url in [
        "/healthz",
        "/readyz",
        &format!("/v1/blobs/{}", digest.as_str().expect("a digest")),
    ] {
        assert_eq!(server.get(url).0, 200, "{url}");
    }
    let (status, answer) = server.call("DELETE", "/v1/tokens/000000000000", &[], None);
    assert_eq!(status, 404, "{answer}");
    check(&document, ("delete", "/v1/tokens/{id}"), status, &answer);
    assert_eq!(server.get("/v1/registry/backup").0, 200);
    for (body, expected) in [("{}", 200), ("{\"keep_seconds\": -1}", 422)] {
        let (status, answer) = server.post("/v1/registry/gc", body);
        assert_eq!(status, expected, "{answer}");
        check(&document, ("post", "/v1/registry/gc"), status, &answer);
    }
    seen.extend(plugins::what_is_taken_up_and_bound(&document, &server));
    what_admins_take_back(&document, &server);
    let paths = document["paths"].as_object().expect("paths");
    assert!(
        paths.keys().all(|path| seen.contains(&path.as_str())),
        "a call is not tried: {:?}",
        paths.keys()
    );

    let (alias, gate) = (
        format!("/v1/{HARDWARE}/aliases/production"),
        format!("/v1/{HARDWARE}/gate"),
    );
    let rules = json!({ "rules": { "min_n": 5 }, "reason": "policy" });
    let one = json!({ "version": 1 });
    let dry = format!("{alias}?dry_run=true");
    for (method, pattern, path, tag, body, expected) in [
        (
            "post",
            "/v1/{hardware}/aliases/{alias}/rollback",
            &format!("{alias}/rollback"),
            "\"1\"",
            &json!({}),
            409,
        ),
        ("put", "/v1/{hardware}/gate", &gate, "\"0\"", &rules, 200),
        ("put", "/v1/{hardware}/gate", &gate, "\"0\"", &rules, 412),
        ("put", "/v1/{hardware}/aliases/{alias}", &alias, "\"1\"", &one, 409),
        ("put", "/v1/{hardware}/aliases/{alias}", &dry, "\"1\"", &one, 200),
        (
            "post",
            "/v1/{hardware}/validations",
            &format!("/v1/{HARDWARE}/validations"),
            "",
            &json!({ "version": 1, "n": 1 }),
            422,
        ),
    ] {
        let (status, answer) = server.call(
            &method.to_uppercase(),
            path,
            &[("If-Match", tag)],
            Some(&body.to_string()),
        );
        assert_eq!(status, expected, "{method} {path}: {answer}");
        check(&document, (method, pattern), status, &answer);
    }

    let predict = ("post", "/v1/{hardware}/predict");
    let url = format!("/v1/{HARDWARE}/predict");
    let good = json!({ "architectures": [readable(320, 2, 3, 3)] }).to_string();
    let (status, answer) = server.post(&url, &good);
    assert_eq!(status, 200);
    check(&document, predict, 200, &answer);
    for (url, body, expected) in [
        (url.as_str(), "{", 400),
        ("/v1/toaster/predict", good.as_str(), 404),
        (url.as_str(), "{\"architectures\": [1]}", 422),
    ] {
        let (status, answer) = server.post(url, body);
        assert_eq!(status, expected, "{answer}");
        check(&document, predict, status, &answer);
    }
    for (path, url) in [
        ("/v1/hardware/{hardware}", "/v1/hardware/toaster"),
        ("/v1/{hardware}/models", "/v1/toaster/models"),
        ("/v1/{hardware}/models/{version}", "/v1/xeon-1t/models/9"),
        ("/v1/{hardware}/aliases/{alias}", "/v1/xeon-1t/aliases/canary"),
        ("/v1/{hardware}/gate", "/v1/toaster/gate"),
        ("/v1/{hardware}/validations/{number}", "/v1/xeon-1t/validations/9"),
        (
            "/v1/{hardware}/validations/{number}/scatter.svg",
            "/v1/xeon-1t/validations/9/scatter.svg",
        ),
        ("/v1/jobs/{id}", "/v1/jobs/9"),
        ("/v1/jobs/{id}/events", "/v1/jobs/9/events"),
        ("/v1/{hardware}/traffic", "/v1/toaster/traffic"),
        (
            "/v1/blobs/{digest}",
            "/v1/blobs/sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ),
    ] {
        let (status, answer) = server.get(url);
        assert_eq!(status, 404, "{url}: {answer}");
        check(&document, ("get", path), 404, &answer);
    }
}

#[test]
fn explanations_are_what_the_contract_says() {
    let registry = Registry::with_production("additive");
    let document = registry.json(&["openapi"]);
    let server = registry.serve();
    let call = ("post", "/v1/{hardware}/explain");
    let body = json!({ "architecture": readable(320, 1, 3, 3) }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/explain"), &body);
    assert_eq!(status, 200, "{answer}");
    check(&document, call, status, &answer);
    for (hardware, body, expected) in [
        ("toaster", body.as_str(), 404),
        (HARDWARE, "{}", 422),
        (HARDWARE, "{", 400),
    ] {
        let (status, answer) = server.post(&format!("/v1/{hardware}/explain"), body);
        assert_eq!(status, expected, "{answer}");
        check(&document, call, status, &answer);
    }
}

/// Dashboards are built on these names.
#[test]
fn metrics_count_requests_and_predictions() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let body = json!({ "architectures": vec![readable(320, 1, 3, 3); 3] }).to_string();
    for _ in 0..2 {
        assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), &body).0, 200);
    }
    server.post(&format!("/v1/{HARDWARE}/predict"), "{");
    let (_, text) = server.get("/metrics");
    let text = text.as_str().expect("text");
    for line in [
        "lglp_predictions_total{hardware=\"xeon-1t\",version=\"1\"} 6",
        "lglp_http_requests_total{route=\"/v1/{hardware}/predict\",method=\"POST\",status=\"200\"} 2",
        "lglp_http_requests_total{route=\"/v1/{hardware}/predict\",method=\"POST\",status=\"400\"} 1",
        "lglp_predict_duration_seconds_count 2",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
}

/// A hardware target named `plugins` would answer, or not, in the place of `/v1/plugins`.
#[test]
fn no_hardware_target_has_the_name_of_a_path() {
    let registry = Registry::default();
    let document = document();
    for path in document["paths"].as_object().expect("paths").keys() {
        let Some(word) = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()) else {
            continue;
        };
        if !word.starts_with('{') {
            let said = registry.fails(&["models", "--hardware", word]);
            assert!(said.contains("is reserved"), "{word}: {said}");
        }
    }
}
