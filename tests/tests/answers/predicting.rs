//! What a search loop sees: predictions, explanations, what there is to ask.

use lglp_tests::{HARDWARE, Registry, readable};
use serde_json::{Value, json};

use crate::answers::recorder::Recorder;

#[test]
fn predictions_and_what_leads_to_them() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    let mut record = Recorder::new(&server);
    let one = readable(320, 2, 3, 3);
    let predict = "POST /v1/{hardware}/predict";
    let h = &[HARDWARE][..];
    record.call(predict, h, json!({ "architectures": [one, readable(1024, 4, 7, 6)] }));
    record.call(predict, h, json!({ "architectures": [one], "coverage": 0.5 }));
    record.call(predict, h, json!({ "architectures": [one], "model": 1 }));
    record.call(predict, h, json!({ "architectures": [one], "model": 9 }));
    record.call(predict, h, json!({ "architectures": [] }));
    record.call(
        predict,
        h,
        json!({ "architectures": [{ "resolution": 320, "blocks": [] }] }),
    );
    record.call(predict, h, json!({}));
    record.call(predict, &["toaster"], json!({ "architectures": [one] }));
    record.call(
        "POST /v1/{hardware}/explain",
        h,
        json!({ "architecture": readable(160, 1, 3, 3) }),
    );
    record.call("POST /v1/{hardware}/explain", h, json!({ "architecture": 1 }));
    record.call("GET /v1/hardware", &[], Value::Null);
    record.call("GET /v1/hardware/{hardware}", h, Value::Null);
    record.call("GET /v1/hardware/{hardware}", &["toaster"], Value::Null);
    record.call("GET /v1/spaces", &[], Value::Null);
    record.call("GET /v1/{hardware}/spaces", h, Value::Null);
    record.call("GET /healthz", &[], Value::Null);
    record.call("GET /readyz", &[], Value::Null);
    record.call("GET /v1/nothing", &[], Value::Null);
    record.call("PATCH /v1/hardware", &[], Value::Null);
    record.compare("predicting");
}
