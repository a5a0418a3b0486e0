//! The ways of writing an architecture: readable JSON, canonical text, and forms that come from elsewhere.

mod chain;
pub(crate) mod decisions;
mod fields;
mod shape;

use chain::{direct, ofa, readable, text};

use crate::architecture::Architecture;
use crate::excerpt::{MESSAGE, shortened};
use crate::literal;
use crate::space::{SearchSpace, hex_sha256};
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
        match self {
            Self::Chain(space) => chain::check_row(space, &architecture)?,
            Self::Decisions(space) => decisions::check_row(space, &architecture)?,
        }
        Ok(architecture)
    }

    /// Reads an architecture from JSON: the readable form, one that comes from elsewhere (Once-for-All's, of chains, or what the space
    /// defines), or a string with canonical text or with one of these forms, as JSON or as Python prints them.
    pub fn architecture_from_json(&self, value: &Value) -> Result<Architecture, ArchitectureError> {
        let fields = match value {
            Value::String(text) if literal::is_meant(text) => return self.architecture_from_json(&unpacked(text)?),
            Value::String(text) => return self.architecture_from_text(text),
            Value::Object(fields) => fields,
            other => {
                // A list that is all of a form is often written without its name.
                if let (Value::Array(_), Some(name)) = (other, self.list_alone()) {
                    let form = [(name.to_owned(), other.clone())].into_iter().collect();
                    return self.architecture_from_json(&Value::Object(form));
                }
                let expected = match self {
                    Self::Chain(_) => {
                        "an object with `resolution` and `blocks`, an object with `r`, `d`, `ks` and `e`, or canonical text"
                    }
                    Self::Decisions(_) => "an object with a field for each decision, or a text",
                };
                let message = format!("expected {expected}, not {}", fields::kind(other));
                return Err(ArchitectureError::new("", message));
            }
        };
        match self {
            Self::Chain(space) if ofa::OWN.iter().any(|own| fields.contains_key(*own)) => ofa::read(space, fields),
            Self::Chain(space) => readable::read(space, fields),
            Self::Decisions(space) => match decisions::matching(space, fields) {
                Some(lists) => lists.read(),
                None => decisions::read(space, fields),
            },
        }
    }

    /// Reads an architecture straight from the text of JSON, as most are written, in a hundredth of the time. `None` where
    /// it is not written so, or is faulty: [`Self::architecture_from_json`] tells.
    pub fn architecture_from_plain_json(&self, text: &[u8]) -> Option<Architecture> {
        match self {
            Self::Chain(space) => direct::read(space, text),
            Self::Decisions(_) => None,
        }
    }

    /// The field of a form that has one list alone.
    fn list_alone(&self) -> Option<&str> {
        let Self::Decisions(space) = self else { return None };
        let mut alone = space.forms().lists.iter().filter(|form| form.len() == 1);
        alone.next()?.keys().next().map(String::as_str)
    }

    /// The readable JSON form; [`Self::architecture_from_json`] reads it back.
    pub fn architecture_to_json(&self, architecture: &Architecture) -> Value {
        match self {
            Self::Chain(space) => readable::write(space, architecture),
            Self::Decisions(space) => decisions::write(space, architecture),
        }
    }

    /// Reads canonical text, or a form of text that the space defines.
    pub fn architecture_from_text(&self, text: &str) -> Result<Architecture, ArchitectureError> {
        match self {
            Self::Chain(space) => text::read(space, text),
            Self::Decisions(space) => decisions::read_text(self.name(), space, text),
        }
    }

    /// The one text of an architecture, free of characters that shells treat specially. Of a chain,
    /// `mobilenetv3@320/s2-se-k3e4-k5e6i/s1-k7e3/...`: resolution, then for each block the stride of its first layer, `se`
    /// where it has squeeze-and-excitation, and its layers; `i` marks an identity connection. Of any other,
    /// `nas-bench-201@nor_conv_3x3,none,skip_connect,...`: the decisions that are there, in the order of the space.
    pub fn canonical_text(&self, architecture: &Architecture) -> String {
        match self {
            Self::Chain(space) => text::write(space, architecture),
            Self::Decisions(space) => decisions::write_text(self.name(), space, architecture),
        }
    }
}

impl SearchSpace {
    /// SHA-256 of the canonical text, 64 hexadecimal digits: the same architecture has the same digest everywhere.
    pub fn architecture_digest(&self, architecture: &Architecture) -> String {
        hex_sha256(self.canonical_text(architecture))
    }
}

/// The value that a string holds.
fn unpacked(text: &str) -> Result<Value, ArchitectureError> {
    literal::read(text)
        .map_err(|error| ArchitectureError::new("", format!("the text is not readable as JSON: {error}")))
}
