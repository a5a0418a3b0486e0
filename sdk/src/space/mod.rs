//! Search spaces as data: the table that gives choices their meaning.
//!
//! A space is read from TOML (`catalog/spaces/*.toml`) or, across the plugin boundary, from JSON. Adding one changes no Rust.

mod chain;
mod check;
mod choice;
mod columns;
mod decisions;
mod expression;
mod sampling;
pub mod template;

pub use chain::{
    Activation, Block, BlockDefault, COLUMNS_PER_LAYER, ChainSpace, Choices, ConstrainedAttribute, Constraint, Layer,
    NetworkFrame, Op,
};
pub(crate) use chain::{LayerChoice, RowBuilder, index_of};
pub use choice::Choice;
pub use columns::Column;
pub use decisions::{CountRule, Decision, DecisionSpace, Forms, ListForm};
pub use expression::{Expression, INPUT};
pub use sampling::Sampler;

use serde::de::{DeserializeOwned, Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::architecture::Architecture;
use crate::strict;

/// A search space: what can be chosen, and the networks that the choices make.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SearchSpace {
    /// Of chains of inverted residuals.
    Chain(ChainSpace),
    /// Of decisions with names of its own.
    Decisions(DecisionSpace),
}

/// What tells the two kinds of definitions apart.
#[derive(Deserialize)]
struct Kind {
    decisions: Option<IgnoredAny>,
}

impl<'de> Deserialize<'de> for SearchSpace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::from_json(&value.to_string()).map_err(D::Error::custom)
    }
}

impl SearchSpace {
    /// Reads a space from TOML and checks that it is consistent.
    ///
    /// # Errors
    /// The field at fault.
    pub fn from_toml(text: &str) -> Result<Self, SpaceError> {
        fn read<T: DeserializeOwned>(text: &str) -> Result<T, SpaceError> {
            strict::from_toml(text).map_err(|e| SpaceError(e.to_string()))
        }
        match read::<Kind>(text)?.decisions {
            Some(_) => DecisionSpace::new(read(text)?).map(Self::Decisions),
            None => Self::checked(read(text)?),
        }
    }

    /// Reads a space from the JSON that the host hands to plugins.
    ///
    /// # Errors
    /// The field at fault.
    pub fn from_json(text: &str) -> Result<Self, SpaceError> {
        fn read<T: DeserializeOwned>(text: &str) -> Result<T, SpaceError> {
            serde_json::from_str(text).map_err(|e| SpaceError(e.to_string()))
        }
        match read::<Kind>(text)?.decisions {
            Some(_) => DecisionSpace::new(read(text)?).map(Self::Decisions),
            None => Self::checked(read(text)?),
        }
    }

    fn checked(chain: ChainSpace) -> Result<Self, SpaceError> {
        chain.check()?;
        Ok(Self::Chain(chain))
    }

    /// The form in which the host hands a space to plugins.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a space has string keys only")
    }

    /// The name used in requests and in the registry, e.g. `mobilenetv3`.
    pub fn name(&self) -> &str {
        match self {
            Self::Chain(space) => &space.name,
            Self::Decisions(space) => space.name(),
        }
    }

    /// One line for people.
    pub fn title(&self) -> &str {
        match self {
            Self::Chain(space) => &space.title,
            Self::Decisions(space) => space.title(),
        }
    }

    /// The same space with another title.
    pub fn with_title(mut self, title: String) -> Self {
        match &mut self {
            Self::Chain(space) => space.title = title,
            Self::Decisions(space) => space.set_title(title),
        }
        self
    }

    /// The space, where it is one of chains of inverted residuals: some encodings read nothing else.
    pub fn chain(&self) -> Option<&ChainSpace> {
        match self {
            Self::Chain(space) => Some(space),
            Self::Decisions(_) => None,
        }
    }

    /// Whether its architectures make networks. Of a space that does not say which, architectures are measured from ONNX files.
    pub fn has_networks(&self) -> bool {
        match self {
            Self::Chain(_) => true,
            Self::Decisions(space) => space.network().is_some(),
        }
    }

    /// The logarithm to base 10 of how many architectures there are; an estimate, where decisions depend on each other. What constraints of a
    /// space of chains leave out is counted in.
    pub fn architectures_log10(&self) -> f64 {
        match self {
            Self::Chain(space) => space.architectures_log10(),
            Self::Decisions(space) => space.architectures_log10(),
        }
    }

    /// Side of the image, pixels, or length of the text, tokens, that an architecture's network takes; `None` where the space does not say.
    pub fn input_side(&self, architecture: &Architecture) -> Option<u32> {
        match self {
            Self::Chain(space) => Some(space.resolution(architecture)),
            Self::Decisions(space) => space.input_side(architecture.row()),
        }
    }

    /// SHA-256 of everything that rows and encodings depend on, 64 hexadecimal digits; the title is not among it, nor are forms of writing.
    pub fn digest(&self) -> String {
        let plain = match self.clone().with_title(String::new()) {
            Self::Decisions(space) => Self::Decisions(space.without_forms()),
            chain => chain,
        };
        hex_sha256(plain.to_json())
    }

    /// SHA-256 of what a canonical text leaves to the space, 64 hexadecimal digits. Texts name the same networks as long as it stays,
    /// whatever choices come or go.
    pub fn networks_digest(&self) -> String {
        match self {
            Self::Chain(space) => space.networks_digest(),
            Self::Decisions(space) => space.networks_digest(),
        }
    }

    /// Length of an architecture's row, bytes.
    pub fn row_len(&self) -> usize {
        match self {
            Self::Chain(space) => space.row_len(),
            Self::Decisions(space) => space.columns().len(),
        }
    }
}

pub(crate) fn hex_sha256(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// A search space that cannot be used, with the field at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("search space: {0}")]
pub struct SpaceError(pub String);
