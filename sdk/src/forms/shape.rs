//! Which space something belongs to that was written for another one: the lengths of its lists tell, or the names of its fields.

use serde_json::Value;

use super::decisions;
use super::fields::Fields;
use crate::space::{ChainSpace, DecisionSpace, SearchSpace};
use crate::{count, literal};

impl SearchSpace {
    /// Whether an architecture, in any form of JSON, is made as those of this space: a chain of as many blocks, or most of whose lists
    /// have one value for each block or layer slot; or fields that are named as its decisions. The values may be none that the space
    /// allows.
    pub fn has_shape_of(&self, architecture: &Value) -> bool {
        match architecture {
            Value::String(text) if literal::is_meant(text) => {
                literal::read(text).is_ok_and(|value| value.is_object() && self.has_shape_of(&value))
            }
            Value::Object(fields) => match self {
                Self::Chain(space) => is_chain(space, fields),
                Self::Decisions(space) => {
                    are_its_decisions(space, fields)
                        || decisions::matching(space, fields).is_some_and(|lists| lists.fit())
                }
            },
            _ => false,
        }
    }

    /// `5 blocks, 20 layers at most`, or `6 decisions`
    pub fn shape(&self) -> String {
        match self {
            Self::Chain(space) => format!(
                "{}, {} at most",
                count(space.blocks.len(), "block"),
                count(space.slots(), "layer")
            ),
            Self::Decisions(space) => count(space.columns().len(), "decision"),
        }
    }
}

/// Whether an object has the decisions of a space as fields: no others, and all of which there is something to choose.
fn are_its_decisions(space: &DecisionSpace, fields: &Fields) -> bool {
    let mut decisions = space.decisions().iter();
    let is_decision = |name: &String| space.decisions().iter().any(|one| one.name == *name);
    fields.keys().all(is_decision)
        && decisions.all(|one| one.choices.len() == 1 || !one.when.is_empty() || fields.contains_key(&one.name))
}

fn is_chain(space: &ChainSpace, fields: &Fields) -> bool {
    if fields.contains_key("blocks") {
        return has(fields, "blocks", space.blocks.len());
    }
    let lengths = [("d", space.blocks.len()), ("ks", space.slots()), ("e", space.slots())];
    let fitting = lengths.iter().filter(|(name, length)| has(fields, name, *length));
    fitting.count() >= 2
}

/// Whether a list is so long.
fn has(fields: &Fields, name: &str, length: usize) -> bool {
    let list = fields.get(name).and_then(Value::as_array);
    list.is_some_and(|list| list.len() == length)
}
