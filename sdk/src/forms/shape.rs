//! Which space something belongs to that was written for another one: the lengths of its lists tell.

use serde_json::Value;

use super::fields::Fields;
use crate::space::SearchSpace;
use crate::{count, literal};

impl SearchSpace {
    /// Whether an architecture, in any form of JSON, is as long as those of this space: it has as many blocks, or most of its lists
    /// have one value for each block or layer slot. The values may be none that the space allows.
    pub fn has_shape_of(&self, architecture: &Value) -> bool {
        match architecture {
            Value::String(text) if literal::is_meant(text) => {
                literal::read(text).is_ok_and(|value| value.is_object() && self.has_shape_of(&value))
            }
            Value::Object(fields) if fields.contains_key("blocks") => has(fields, "blocks", self.blocks.len()),
            Value::Object(fields) => {
                let lengths = [("d", self.blocks.len()), ("ks", self.slots()), ("e", self.slots())];
                lengths
                    .iter()
                    .filter(|(name, length)| has(fields, name, *length))
                    .count()
                    >= 2
            }
            _ => false,
        }
    }

    /// `5 blocks, 20 layers at most`
    pub fn shape(&self) -> String {
        format!(
            "{}, {} at most",
            count(self.blocks.len(), "block"),
            count(self.slots(), "layer")
        )
    }
}

/// Whether a list is so long.
fn has(fields: &Fields, name: &str, length: usize) -> bool {
    let list = fields.get(name).and_then(Value::as_array);
    list.is_some_and(|list| list.len() == length)
}
