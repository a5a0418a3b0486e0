//! Answers against the schemas of the contract.

use serde_json::{Value, json};

/// A schema that refuses fields which it does not name, where it names any: the document leaves answers open to later ones. What an
/// `allOf` refers to sees its own fields only, and stays open.
fn closed(schema: &Value, open: &[&str]) -> Value {
    match schema {
        Value::Object(fields) => {
            let close = |(name, value): (&String, &Value)| {
                let stays = name == "allOf" || open.iter().any(|place| place.rsplit('/').next() == Some(name));
                (name.clone(), if stays { value.clone() } else { closed(value, open) })
            };
            let names_fields = fields.get("properties").is_some_and(Value::is_object);
            let says_more = fields.contains_key("additionalProperties");
            let mut fields: serde_json::Map<_, _> = fields.iter().map(close).collect();
            if (names_fields || fields.contains_key("allOf")) && !says_more {
                fields.insert("unevaluatedProperties".into(), false.into());
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(|item| closed(item, open)).collect(),
        other => other.clone(),
    }
}

/// Places that an `allOf` refers to.
fn parts_of_others(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("allOf", Value::Array(parts)) => parts.iter().filter_map(|part| part["$ref"].as_str()).collect(),
                _ => parts_of_others(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(parts_of_others).collect(),
        _ => Vec::new(),
    }
}

/// Checks an answer against the schema that the contract gives for a call and status.
pub(super) fn check(document: &Value, (method, path): (&str, &str), status: u16, answer: &Value) {
    let operation = &document["paths"][path][method];
    let response = &operation["responses"][status.to_string()];
    let common = response["$ref"]
        .as_str()
        .and_then(|place| document.pointer(&place[1..]));
    let content = &common.unwrap_or(response)["content"];
    let media = content.as_object().and_then(|kinds| kinds.values().next());
    let schema = &media.unwrap_or_else(|| panic!("{method} {path} documents no {status}: {operation}"))["schema"];
    let components = closed(&document["components"], &parts_of_others(&document["components"]));
    let rooted = json!({ "components": components, "allOf": [closed(schema, &[])] });
    let validator = jsonschema::validator_for(&rooted).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(answer)
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect();
    assert!(faults.is_empty(), "{method} {path} {status}: {faults:?}");
}
