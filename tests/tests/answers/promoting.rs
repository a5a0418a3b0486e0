//! What an MLOps team sees: versions, aliases, gates, traffic, validations.

use lglp_tests::{HARDWARE, Registry};
use serde_json::{Value, json};

use crate::answers::recorder::Recorder;

#[test]
fn versions_from_training_to_rollback() {
    let registry = Registry::with_production("mac-proportional");
    registry.train("roofline");
    let server = registry.serve();
    let mut record = Recorder::new(&server);
    let h = &[HARDWARE][..];
    let version = |version: &'static str| [HARDWARE, version];
    record.call("GET /v1/{hardware}/models", h, Value::Null);
    let whole = record.call("GET /v1/{hardware}/models/{version}", &version("1"), Value::Null);
    record.call("GET /v1/{hardware}/models/{version}", &version("9"), Value::Null);
    record.call(
        "GET /v1/{hardware}/models/{version}/lineage",
        &version("1"),
        Value::Null,
    );
    record.call(
        "GET /v1/{hardware}/models/{version}/diff/{other}",
        &[HARDWARE, "1", "2", "count=3&top=1"],
        Value::Null,
    );
    record.call("POST /v1/{hardware}/models", h, whole["content"].clone());
    record.call("POST /v1/{hardware}/models", h, json!({}));
    record.call("GET /v1/{hardware}/datasets", h, Value::Null);
    record.call("POST /v1/{hardware}/datasets", h, json!({}));

    let alias = "PUT /v1/{hardware}/aliases/{alias}";
    let production = &[HARDWARE, "production"][..];
    record.call("GET /v1/{hardware}/aliases/{alias}", production, Value::Null);
    record.call(
        "GET /v1/{hardware}/aliases/{alias}",
        &[HARDWARE, "candidate"],
        Value::Null,
    );
    record.call(alias, production, json!({ "version": 2 }));
    record.call_with(alias, production, &[("If-Match", "\"0\"")], json!({ "version": 2 }));
    record.call_with(
        alias,
        &[HARDWARE, "production", "dry_run=true"],
        &[("If-Match", "\"1\"")],
        json!({ "version": 2 }),
    );
    record.call_with(
        alias,
        production,
        &[("If-Match", "\"1\"")],
        json!({ "version": 2, "reason": "better" }),
    );
    record.call_with(
        alias,
        &[HARDWARE, "candidate"],
        &[("If-Match", "\"0\"")],
        json!({ "version": 1 }),
    );
    record.call_with(
        "POST /v1/{hardware}/aliases/{alias}/rollback",
        production,
        &[("If-Match", "\"2\"")],
        json!({ "reason": "a drill" }),
    );
    let gate = "PUT /v1/{hardware}/gate";
    let rules = json!({ "rules": { "min_n": 5, "max_mape": 20.0 }, "reason": "policy" });
    record.call("GET /v1/{hardware}/gate", h, Value::Null);
    record.call_with(gate, h, &[("If-Match", "\"0\"")], rules);
    record.call("GET /v1/{hardware}/gate", h, Value::Null);
    record.call_with(alias, production, &[("If-Match", "\"3\"")], json!({ "version": 2 }));
    let traffic = "PUT /v1/{hardware}/traffic";
    record.call("GET /v1/{hardware}/traffic", h, Value::Null);
    record.call_with(
        traffic,
        h,
        &[("If-Match", "\"0\"")],
        json!({ "shadow": { "alias": "candidate", "share": 1.0 }, "reason": "look first" }),
    );
    record.call_with(traffic, h, &[("If-Match", "\"0\"")], json!({ "reason": "late" }));

    let validations = "POST /v1/{hardware}/validations";
    record.call(validations, h, json!({ "version": 2, "n": 5, "on": "held_out" }));
    record.call(validations, h, json!({ "version": 9, "n": 5 }));
    server.wait("/v1/jobs/1", |job| !job["finished_at"].is_null());
    record.call("GET /v1/{hardware}/validations", h, Value::Null);
    let report = record.call("GET /v1/{hardware}/validations/{number}", &[HARDWARE, "1"], Value::Null);
    assert!(
        report["content"]["pairs"]
            .as_array()
            .is_some_and(|pairs| pairs.len() == 5),
        "{report}"
    );
    record.call("GET /v1/{hardware}/validations/{number}", &[HARDWARE, "9"], Value::Null);
    record.call("GET /v1/{hardware}/savings", h, Value::Null);
    record.compare("promoting");
}
