//! Values that are chosen.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that a decision may take. Each is written as it is in JSON, words without their quotes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, from = "Written")]
pub enum Choice {
    /// Such as whether there is something.
    Switch(bool),
    /// Such as a number of channels.
    Whole(i64),
    /// Such as a ratio.
    Real(f64),
    /// Such as the name of an operation.
    Word(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Switch(bool),
    Whole(i64),
    Real(f64),
    Word(String),
}

impl From<Written> for Choice {
    fn from(written: Written) -> Self {
        match written {
            Written::Switch(is) => Self::Switch(is),
            Written::Whole(number) => Self::Whole(number),
            // An author who writes 3.0 means 3.
            Written::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => Self::Whole(number as i64),
            Written::Real(number) => Self::Real(number),
            Written::Word(word) => Self::Word(word),
        }
    }
}

impl Choice {
    /// The number that it is: of a switch 0 or 1, of a word none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Switch(is) => Some(f64::from(u8::from(*is))),
            Self::Whole(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Word(_) => None,
        }
    }

    /// Whether JSON says the same.
    pub fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Switch(is), Value::Bool(value)) => is == value,
            (Self::Word(word), Value::String(value)) => word == value,
            (Self::Whole(_) | Self::Real(_), Value::Number(value)) => self.number() == value.as_f64(),
            _ => false,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a choice is a value of JSON")
    }

    /// Whether its text is free of what shells, file names and lists treat specially.
    pub(super) fn is_plain(&self) -> bool {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        match self {
            Self::Word(word) => !word.is_empty() && word.bytes().all(is_allowed),
            Self::Real(number) => number.is_finite(),
            Self::Switch(_) | Self::Whole(_) => true,
        }
    }
}

impl Display for Choice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(is) => is.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}
