//! The ways of writing an architecture: readable JSON, the Once-for-All form, canonical text.
//!
//! Every form is read into a `Draft`, checked there against the space, and errors name their place as a JSON pointer.

mod draft;
mod fields;
mod ofa;
mod readable;
mod shape;
mod text;

use crate::architecture::Architecture;
use crate::excerpt::{MESSAGE, shortened};
use crate::literal;
use crate::space::SearchSpace;
use serde_json::Value;

/// Why something is not an architecture of the space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if pointer.is_empty() { "the architecture" } else { pointer })]
pub struct ArchitectureError {
    /// RFC 6901 pointer into the architecture as it was given, e.g. `/blocks/2/layers/0/kernel`; empty for all of it.
    pub pointer: String,
    /// What is wrong there and which values are allowed.
    pub message: String,
}

impl ArchitectureError {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: shortened(message.into(), MESSAGE),
        }
    }
}

impl SearchSpace {
    /// Takes a row that comes from another process or a plugin boundary; checked like any other input.
    pub fn architecture_from_row(&self, row: &[u8]) -> Result<Architecture, ArchitectureError> {
        let architecture = Architecture::unchecked(row);
        draft::check_row(self, &architecture)?;
        Ok(architecture)
    }

    /// Reads an architecture from JSON: the readable form, the Once-for-All form, or a string with canonical text or with one of
    /// these forms, as JSON or as Python prints them.
    pub fn architecture_from_json(&self, value: &Value) -> Result<Architecture, ArchitectureError> {
        match value {
            Value::String(text) if literal::is_meant(text) => self.architecture_from_json(&unpacked(text)?),
            Value::String(text) => self.architecture_from_text(text),
            Value::Object(fields) if ofa::OWN.iter().any(|own| fields.contains_key(*own)) => ofa::read(self, fields),
            Value::Object(fields) => readable::read(self, fields),
            other => Err(ArchitectureError::new(
                "",
                format!(
                    "expected an object with `resolution` and `blocks`, an object with `r`, `d`, `ks` and `e`, or canonical text, not {}",
                    fields::kind(other)
                ),
            )),
        }
    }

    /// The readable JSON form; [`Self::architecture_from_json`] reads it back.
    pub fn architecture_to_json(&self, architecture: &Architecture) -> Value {
        readable::write(self, architecture)
    }

    /// Reads canonical text.
    pub fn architecture_from_text(&self, text: &str) -> Result<Architecture, ArchitectureError> {
        text::read(self, text)
    }

    /// The one text of an architecture, free of characters that shells treat specially:
    /// `mobilenetv3@320/s2-se-k3e4-k5e6i/s1-k7e3/...`: resolution, then for each block the stride of its first layer, `se`
    /// where it has squeeze-and-excitation, and its layers; `i` marks an identity connection.
    pub fn canonical_text(&self, architecture: &Architecture) -> String {
        text::write(self, architecture)
    }
}

/// The value that a string holds.
fn unpacked(text: &str) -> Result<Value, ArchitectureError> {
    literal::read(text)
        .map_err(|error| ArchitectureError::new("", format!("the text is not readable as JSON: {error}")))
}
