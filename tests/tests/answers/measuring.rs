//! What owners of devices and their workers see: targets, measurements, jobs, leases.

use lglp_tests::{HARDWARE, Registry};
use serde_json::{Value, json};

use crate::answers::recorder::Recorder;

#[test]
fn measurements_are_kept_corrected_and_taken_back() {
    let registry = Registry::default();
    registry.import(3);
    let server = registry.serve();
    let mut record = Recorder::new(&server);
    let h = &[HARDWARE][..];
    let page = &[HARDWARE, "space=mobilenetv3&limit=2"][..];
    let measured = record.call("GET /v1/{hardware}/measurements", page, Value::Null);
    record.call("GET /v1/{hardware}/measurements", h, Value::Null);
    let target = record.call("GET /v1/hardware/{hardware}", h, Value::Null);
    let mut twin = json!({ "name": "twin" });
    for field in ["runtime", "settings", "fingerprint", "reference"] {
        twin[field] = target[field].clone();
    }
    record.call("PUT /v1/hardware/{hardware}", &["twin"], twin);
    record.call("PUT /v1/hardware/{hardware}", &["twin"], json!({}));
    let mut row = measured[0].clone();
    row["hardware"] = "twin".into();
    record.call("POST /v1/{hardware}/measurements", &["twin"], json!([row]));
    record.call("POST /v1/{hardware}/measurements", &["twin"], json!({}));
    let absent = json!({ "parts": [format!("sha256:{}", "0".repeat(64))] });
    record.call("POST /v1/{hardware}/measurements/import", &["twin"], absent);
    let exclusion = json!({
        "actor": "ann",
        "exclusions": [{
            "space": "mobilenetv3", "digest": measured[0]["digest"], "round": 0, "reason": "an outlier", "evidence": {},
        }],
    });
    record.call("POST /v1/{hardware}/exclusions", h, exclusion);
    record.call(
        "GET /v1/{hardware}/exclusions",
        &[HARDWARE, "space=mobilenetv3"],
        Value::Null,
    );
    record.call(
        "POST /v1/hardware/{hardware}/rename",
        &["twin"],
        json!({ "to": "spare", "reason": "a better name" }),
    );
    record.call(
        "DELETE /v1/{hardware}/measurements",
        &[HARDWARE, "space=mobilenetv3"],
        Value::Null,
    );
    record.call(
        "DELETE /v1/{hardware}/measurements",
        &[HARDWARE, "space=mobilenetv3&reason=a+wrong+unit"],
        Value::Null,
    );
    record.call(
        "DELETE /v1/hardware/{hardware}",
        &[HARDWARE, "reason=gone"],
        Value::Null,
    );
    record.call("GET /v1/hardware", &[], Value::Null);
    record.compare("measurements");
}

#[test]
fn jobs_go_to_workers_and_come_back() {
    let registry = Registry::default();
    let server = registry.serve();
    let mut record = Recorder::new(&server);
    let (instance, sent_at) = ("0123456789abcdef", "2026-01-31T12:00:00Z");
    let register = json!({
        "hardware": "far", "instance": instance, "fingerprint": { "cpu": "Abacus" }, "version": "0.1.0", "sent_at": sent_at,
        "setup": { "runtime": "onnxruntime", "batch_size": 1 },
    });
    let mut other = register.clone();
    other["fingerprint"]["cpu"] = "Slide rule".into();
    let ask = json!({ "instance": instance, "wait_s": 0, "sent_at": sent_at });
    let worker = |operation: &str| format!("POST /v1/workers/{{worker}}/{operation}");
    record.call("PUT /v1/workers/{worker}", &["abacus"], register);
    record.call("PUT /v1/workers/{worker}", &["rule"], other);
    record.call("PUT /v1/workers/{worker}", &["nobody"], json!({}));
    record.call(&worker("confirm"), &["rule"], json!({ "reason": "alike" }));
    record.call(&worker("confirm"), &["nobody"], json!({ "reason": "alike" }));
    record.call(&worker("lease"), &["abacus"], ask.clone());
    let jobs = "POST /v1/{hardware}/jobs";
    record.call(
        jobs,
        &["far"],
        json!({ "kind": "measure", "parameters": { "space": "ofa-mobilenetv3", "count": 1 } }),
    );
    record.call(
        jobs,
        &["far"],
        json!({ "kind": "measure", "parameters": { "space": "ofa-mobilenetv3", "count": 0 } }),
    );
    record.call(jobs, &["far"], json!({ "kind": "dream" }));
    record.call(&worker("lease"), &["abacus"], ask);
    let reference = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "latency_ms": 5.0 });
    record.call(
        &worker("calibration"),
        &["abacus"],
        json!({ "instance": instance, "reference": reference }),
    );
    let job = |operation: &str| format!("POST /v1/jobs/{{id}}/{operation}");
    record.call(&job("batch"), &["1"], json!({ "fencing": 1, "limit": 1 }));
    record.call(&job("heartbeat"), &["1"], json!({ "fencing": 1, "sent_at": sent_at }));
    record.call(&job("heartbeat"), &["1"], json!({ "fencing": 9, "sent_at": sent_at }));
    let none = json!({ "fencing": 1, "measurements": [], "sent_at": sent_at });
    record.call(&job("measurements"), &["1"], none);
    record.call(&job("finish"), &["1"], json!({ "fencing": 1 }));
    record.call(&job("release"), &["1"], json!({ "fencing": 1 }));
    record.call("GET /v1/workers", &[], Value::Null);
    record.call(&job("cancel"), &["1"], Value::Null);
    record.call(&job("cancel"), &["1"], Value::Null);
    record.call("GET /v1/jobs", &[], Value::Null);
    record.call("GET /v1/jobs/{id}", &["1"], Value::Null);
    record.call("GET /v1/jobs/{id}", &["9"], Value::Null);
    record.call("GET /v1/jobs/{id}/events", &["1"], Value::Null);
    record.call("DELETE /v1/workers/{worker}", &["abacus"], Value::Null);
    record.compare("jobs");
}
