//! What admins see: tokens, webhooks, the audit log, the registry's care.

use lglp_tests::{HARDWARE, Registry};
use serde_json::{Value, json};

use crate::answers::recorder::Recorder;

#[test]
fn tokens_webhooks_and_the_registry() {
    let registry = Registry::default();
    registry.import(2);
    let server = registry.serve();
    let mut record = Recorder::new(&server);
    record.call("GET /v1/registry/verify", &[], Value::Null);
    record.call("POST /v1/registry/gc", &[], json!({ "keep_seconds": 0 }));
    record.call("POST /v1/registry/gc", &[], json!({ "keep_seconds": -1 }));
    record.call("GET /v1/audit", &["limit=2"], Value::Null);
    record.call("GET /v1/audit", &["limit=0"], Value::Null);
    record.call("GET /v1/audit/head", &[], Value::Null);
    record.call("GET /v1/events", &[], Value::Null);
    record.call(
        "GET /v1/blobs/{digest}",
        &[&format!("sha256:{}", "0".repeat(64))],
        Value::Null,
    );
    record.call("POST /v1/blobs", &[], json!({ "a": "blob" }));
    let webhook = json!({ "id": "ci", "url": "http://127.0.0.1:9/hook", "hardware": [HARDWARE] });
    record.call("POST /v1/webhooks", &[], webhook.clone());
    record.call("POST /v1/webhooks", &[], webhook);
    record.call(
        "POST /v1/webhooks",
        &[],
        json!({ "id": "far", "url": "https://example.org/hook" }),
    );
    record.call("GET /v1/webhooks", &[], Value::Null);
    record.call("GET /v1/webhooks/{id}", &["ci"], Value::Null);
    record.call("POST /v1/webhooks/{id}/ping", &["nobody"], Value::Null);
    record.call("DELETE /v1/webhooks/{id}", &["ci"], Value::Null);
    record.call("DELETE /v1/webhooks/{id}", &["ci"], Value::Null);

    record.call("GET /v1/tokens", &[], Value::Null);
    record.call("POST /v1/tokens", &[], json!({ "name": "ann" }));
    let ann = record.call("POST /v1/tokens", &[], json!({ "name": "ann", "role": "admin" }));
    record.call("GET /v1/tokens", &[], Value::Null);
    record.authorize(ann["secret"].as_str().expect("a secret"));
    let viewer = json!({ "name": "bob", "role": "viewer", "hardware": [HARDWARE] });
    let bob = record.call("POST /v1/tokens", &[], viewer);
    record.call("GET /v1/tokens", &[], Value::Null);
    let mut of_viewer = Recorder::new(&server);
    of_viewer.authorize(bob["secret"].as_str().expect("a secret"));
    of_viewer.call("GET /v1/tokens", &[], Value::Null);
    of_viewer.call("GET /v1/hardware/{hardware}", &["toaster"], Value::Null);
    of_viewer.call("POST /v1/{hardware}/jobs", &[HARDWARE], json!({ "kind": "train" }));
    record.call(
        "DELETE /v1/tokens/{id}",
        &[bob["token"]["id"].as_str().expect("an id")],
        Value::Null,
    );
    record.call("DELETE /v1/tokens/{id}", &["000000000000"], Value::Null);
    of_viewer.call("GET /v1/hardware", &[], Value::Null);
    record.compare("administration");
    of_viewer.compare("administration-of-a-viewer");
}

/// Lists of what lies on the machine, and files of bytes: what they are, not what is in them.
#[test]
fn what_depends_on_the_machine() {
    let registry = Registry::with_production("mac-proportional");
    let server = registry.serve();
    let (_, plugins) = server.get("/v1/plugins");
    let plugins = plugins["plugins"].as_array().expect("plugins");
    let found = plugins
        .iter()
        .find(|plugin| plugin["file"] == "liblglp_plugin_additive.so");
    let fields = found.and_then(Value::as_object).expect("a plugin that is there");
    assert_eq!(
        fields.keys().collect::<Vec<_>>(),
        [
            "description",
            "file",
            "isolation",
            "lost_processes",
            "restricted",
            "sha256",
            "unavailable"
        ]
    );
    for (path, kind) in [
        (format!("/v1/{HARDWARE}/models/1/bundle"), "application/x-tar"),
        ("/v1/registry/backup".into(), "application/octet-stream"),
    ] {
        let found = server.header("GET", &path, &[], "content-type");
        assert_eq!(found.as_deref(), Some(kind), "{path}");
    }
    let (status, metrics) = server.get("/metrics");
    assert_eq!(status, 200);
    let metrics = metrics.as_str().expect("text");
    let kinds = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!("metrics", kinds.collect::<Vec<_>>()));
}
