//! How far integers go. Rust's types without a sign reach twice as far as the formats `int32` and `int64` that stand for them, and
//! refuse what lies beyond; the document says so.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::OpenApi;

/// Completes the document.
pub struct Integers;

impl Modify for Integers {
    fn modify(&self, document: &mut OpenApi) {
        let mut value = json!(document);
        complete(&mut value);
        // It is what was written a moment ago, and a bound here and there.
        if let Ok(completed) = serde_json::from_value(value) {
            *document = completed;
        }
    }
}

fn complete(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(complete),
        Value::Object(fields) => {
            let has = |name: &str, wanted: &Value| fields.get(name).is_some_and(|found| found == wanted);
            let is_integer = has("type", &json!("integer")) || has("type", &json!(["integer", "null"]));
            let is_unsigned = fields
                .get("minimum")
                .and_then(Value::as_f64)
                .is_some_and(|least| least >= 0.0);
            if is_integer && is_unsigned {
                let most = if has("format", &json!("int32")) {
                    json!(u32::MAX)
                } else {
                    json!(u64::MAX)
                };
                fields.entry("maximum").or_insert(most);
                fields.remove("format");
            }
            fields.values_mut().for_each(complete);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
