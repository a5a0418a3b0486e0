//! How far integers go. Rust's types without a sign reach twice as far as the formats `int32` and `int64` that stand for them, and
//! refuse what lies beyond; the document says so.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Completes the document.
pub struct Integers;

impl Modify for Integers {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.schemas.values_mut().for_each(bound);
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]);
        let parameters = operations
            .flatten()
            .flat_map(|operation| operation.parameters.iter_mut().flatten());
        for parameter in parameters {
            if let RefOr::T(parameter) = parameter {
                parameter.schema.iter_mut().for_each(bound);
            }
        }
    }
}

fn bound(schema: &mut RefOr<Schema>) {
    let mut value = json!(schema);
    complete(&mut value);
    // It is what was written a moment ago, and a bound here and there.
    if let Ok(bounded) = serde_json::from_value(value) {
        *schema = bounded;
    }
}

fn complete(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(complete),
        Value::Object(fields) => {
            let has = |name: &str, wanted: &Value| fields.get(name).is_some_and(|found| found == wanted);
            let is_integer = has("type", &json!("integer")) || has("type", &json!(["integer", "null"]));
            let least = fields.get("minimum").and_then(Value::as_f64);
            if is_integer && least.is_some_and(|least| least >= 0.0) {
                let most = match has("format", &json!("int32")) {
                    true => json!(u32::MAX),
                    false => json!(u64::MAX),
                };
                fields.entry("maximum").or_insert(most);
                fields.remove("format");
            }
            fields.values_mut().for_each(complete);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
