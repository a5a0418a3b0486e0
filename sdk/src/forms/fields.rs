//! Reading typed values out of JSON, each error with its place and the fix.
//!
//! Places and fixes are given as what can be displayed: they are written out for a fault alone, of which a good architecture
//! has none in its hundred fields.

use std::fmt::{self, Debug, Display};

use serde_json::{Map, Value};

use super::ArchitectureError;
use crate::Excerpt;

pub(super) type Fields = Map<String, Value>;

/// The JSON type of a value, for error messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

pub(super) fn required<'a>(
    fields: &'a Fields,
    name: &str,
    at: impl Display,
    expected: impl Display,
) -> Result<&'a Value, ArchitectureError> {
    fields
        .get(name)
        .ok_or_else(|| ArchitectureError::new(format!("{at}/{name}"), format!("missing field `{name}`; {expected}")))
}

pub(super) fn whole_number(value: &Value, at: impl Display, expected: impl Display) -> Result<u32, ArchitectureError> {
    value
        .as_u64()
        .or_else(|| integral(value.as_f64()?))
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(|| {
            ArchitectureError::new(
                at.to_string(),
                format!("{} is not a whole number; {expected}", Excerpt::of(value)),
            )
        })
}

/// The whole number that a JSON number is, however it is written: to JSON Schema 1.0 is an integer.
fn integral(number: f64) -> Option<u64> {
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    whole.then_some(number as u64)
}

pub(super) fn boolean(value: &Value, at: impl Display) -> Result<bool, ArchitectureError> {
    value.as_bool().ok_or_else(|| {
        ArchitectureError::new(
            at.to_string(),
            format!("{} is not a boolean; allowed: true, false", Excerpt::of(value)),
        )
    })
}

pub(super) fn array(value: &Value, at: impl Display) -> Result<&Vec<Value>, ArchitectureError> {
    value
        .as_array()
        .ok_or_else(|| ArchitectureError::new(at.to_string(), format!("expected an array, not {}", kind(value))))
}

pub(super) fn object(value: &Value, at: impl Display) -> Result<&Fields, ArchitectureError> {
    value
        .as_object()
        .ok_or_else(|| ArchitectureError::new(at.to_string(), format!("expected an object, not {}", kind(value))))
}

/// Refuses fields that mean nothing here: a typing error must not pass for a default.
pub(super) fn only(fields: &Fields, known: &[&str], at: impl Display) -> Result<(), ArchitectureError> {
    match fields.keys().find(|k| !known.contains(&k.as_str())) {
        None => Ok(()),
        Some(name) => {
            let name = Excerpt::of(name).to_string();
            Err(ArchitectureError::new(
                format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                format!("unknown field `{name}`; known: {}", known.join(", ")),
            ))
        }
    }
}

/// `3, 5, 7`, shortened in the middle where it is long.
pub(super) fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [first, second, .., last] if words.len() > 12 => format!("{first}, {second}, ... {last}"),
        _ => words.join(", "),
    }
}

/// `allowed: 3, 5, 7`
#[derive(Clone, Copy)]
pub(super) struct Allowed<'a, T>(pub &'a [T]);

impl<T: Debug> Display for Allowed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("allowed: ")?;
        for (i, value) in self.0.iter().enumerate() {
            write!(f, "{}{value:?}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
