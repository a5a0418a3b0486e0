//! Canonical JSON: the one text that a value is hashed as.

use serde::Serialize;
use serde_json::Value;

use crate::{Error, Result};

/// The canonical JSON of a value: no white space, object keys sorted by their UTF-8 bytes, numbers and strings as
/// `serde_json` writes them (a float keeps its point: `1.0` and `1` are different values).
///
/// It sorts by itself and does not lean on the order of `serde_json`'s map, which a feature of another crate in the
/// same build can change.
///
/// # Errors
/// [`Error::Invalid`] for a value without a JSON form.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(|error| Error::invalid("json", error.to_string()))?;
    let mut text = String::new();
    write(&value, &mut text);
    Ok(text.into_bytes())
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            sequence(out, ('{', '}'), entries, |(key, value), out| {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(value, out);
            });
        }
        Value::Array(items) => sequence(out, ('[', ']'), items, write),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn sequence<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_strings_escaped() {
        let value = serde_json::json!({"b": [1, 1.0, null], "a": {"z": true, "\"": "\n"}});
        let text = String::from_utf8(canonical_json(&value).unwrap()).unwrap();
        assert_eq!(text, r#"{"a":{"\"":"\n","z":true},"b":[1,1.0,null]}"#);
    }
}
