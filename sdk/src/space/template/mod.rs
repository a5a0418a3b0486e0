//! How decisions make a network: blocks of steps, run one after another or along the edges of a cell.

mod check;
mod operation;

pub use operation::{ACTIVATIONS, Operation};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Choice, Expression};

/// How decisions make a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTemplate {
    /// What goes in.
    pub input: Input,
    /// Blocks by name. A decision may choose among them: its choices are their names then.
    pub blocks: BTreeMap<String, Block>,
    /// What is run, in this order.
    pub chain: Vec<Link>,
}

/// What goes into a network, beside the size of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "an input is { side = ..., channels = 3 }, or { length = ..., vocabulary = ..., features = ... }"
)]
pub enum Input {
    /// A square image.
    Image {
        /// Height and width, pixels.
        side: Expression,
        /// Such as 3 of red, green and blue.
        #[serde(default = "Expression::three")]
        channels: Expression,
    },
    /// A text.
    Tokens {
        /// How many tokens it has.
        length: Expression,
        /// How many tokens there are.
        vocabulary: Expression,
        /// Numbers by which each is told.
        features: Expression,
    },
}

/// Blocks that run one after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Blocks by name, or decisions that choose them; `$` in a name stands for the number of the repetition.
    pub run: Vec<String>,
    /// How often all of them run; of decisions that are numbers, none of them below 0.
    #[serde(default = "Expression::one")]
    pub repeat: Expression,
    /// Numbers that the blocks' steps name, by names that no decision has. Of a list, each repetition takes its own, and further ones the last.
    #[serde(default, rename = "with")]
    pub parameters: BTreeMap<String, Parameter>,
}

/// A number for each repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a parameter is a number, a sum of products of numbers and names, such as \"2 + depth\", a list of these, or \
                 { value = ..., multiple_of = ... }"
)]
pub enum Parameter {
    /// The same for all.
    All(Expression),
    /// Of the first, the second, and so on.
    Each(Vec<Expression>),
    /// The same for all, rounded.
    Rounded(Rounded),
}

/// A number that is rounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounded {
    /// The number.
    pub value: Expression,
    /// What it is rounded to a multiple of, as channels are, see [`Operation::Conv`].
    pub multiple_of: u32,
}

impl Parameter {
    /// That of a repetition, from 0, before it is rounded.
    pub fn of(&self, repetition: usize) -> &Expression {
        match self {
            Self::All(expression) => expression,
            Self::Rounded(rounded) => &rounded.value,
            Self::Each(list) => &list[repetition.min(list.len() - 1)],
        }
    }

    fn all(&self) -> &[Expression] {
        match self {
            Self::All(expression) => std::slice::from_ref(expression),
            Self::Rounded(rounded) => std::slice::from_ref(&rounded.value),
            Self::Each(list) => list,
        }
    }
}

/// A block: steps with a way around them, or a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Block {
    /// Each takes what the one before it gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// A way around the steps; both are added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortcut: Option<Shortcut>,
    /// What follows the addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// Edges of a cell, in the place of steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Whether it is an edge of a cell that leads nowhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disconnected: bool,
}

/// A way around steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shortcut {
    /// Steps of the way where the block changes the shape of what goes through it; without any, there is no way then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projection: Vec<Step>,
    /// As [`Step::when`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Vec<Choice>>,
}

/// An edge of a cell. Its nodes are numbered from 0, which is what goes into the cell; what comes out is the last one. A node is the sum of
/// what its edges bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The node that it begins at.
    pub from: usize,
    /// The node that it leads to, a later one.
    pub to: usize,
    /// As one of [`Link::run`].
    pub run: String,
}

/// A step of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Step {
    /// What it does.
    pub operation: Operation,
    /// It is there only where decisions or parameters are one of these; `$` in a name stands for the number of the repetition.
    pub when: BTreeMap<String, Vec<Choice>>,
}

// The fields of an operation stand beside `when`, and none but those that it knows may: serde's own flattening allows any.
impl TryFrom<Map<String, Value>> for Step {
    type Error = serde_json::Error;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let when = fields.remove("when").map(serde_json::from_value).transpose()?;
        Ok(Self {
            when: when.unwrap_or_default(),
            operation: serde_json::from_value(Value::Object(fields))?,
        })
    }
}

impl From<Step> for Map<String, Value> {
    fn from(step: Step) -> Self {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&step.operation) else {
            unreachable!("an operation is an object");
        };
        if !step.when.is_empty() {
            let when = serde_json::to_value(&step.when).expect("it has string keys only");
            fields.insert("when".into(), when);
        }
        fields
    }
}
