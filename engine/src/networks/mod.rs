//! Architectures become networks: ONNX models with random weights, and what they cost.
//!
//! What is counted is what is written, so that they cannot disagree.

mod builder;
mod chain;
mod given;
mod measured;
mod parts;
mod random;
mod rounding;
mod template;
mod walks;
mod weights;

use std::iter::Sum;

use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use serde::{Deserialize, Serialize};

pub use given::{GivenNetwork, LoadedNetwork, Structures, Unusable, UnusableNetwork, is_named_onnx, read_file};
pub use lglp_onnx::Rules;
pub use measured::{LabelledNetwork, macs_of, measured, operators_of, rules_of};
pub use parts::Parts;
pub use random::{Family, NoRandomNetwork, RandomNetwork, random};
pub use walks::Walks;

/// An ONNX model (opset 17, IR version 9) of one input and one output, the first dimension of each being the batch; float32. Of a chain it
/// leads from `input` `[batch, 3, resolution, resolution]` to `logits` `[batch, classes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The encoded `ModelProto`.
    pub onnx: Vec<u8>,
    /// What it costs, at the batch that it was built for.
    pub cost: Cost,
    /// What a runtime executes, in its order, at batch 1.
    pub operators: Vec<Operator>,
}

/// What a network costs, whatever it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Multiply-accumulates of convolutions and the fully connected layer, for the whole batch.
    pub macs: u64,
    /// Weights and biases.
    pub parameters: u64,
}

impl Cost {
    /// Of a network that is given by its operators, for a batch of so many inputs.
    pub fn of(operators: &[Operator], batch: u32) -> Self {
        let macs: u64 = operators.iter().map(|operator| operator.macs).sum();
        let weight_bytes: u64 = operators.iter().map(|operator| operator.weight_bytes).sum();
        Self {
            macs: u64::from(batch) * macs,
            parameters: weight_bytes / 4,
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| Self {
            macs: sum.macs + cost.macs,
            parameters: sum.parameters + cost.parameters,
        })
    }
}

/// How often a runtime holds what its widest operator reads and writes.
const HELD: u64 = 2;

/// Why an architecture makes no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoNetwork {
    /// Its space does not say how choices make one.
    #[error(
        "the space `{space}` does not say which networks its architectures make (its file has no [network]); measure ONNX files that are \
         named by architecture (lglp measure --space {space} --onnx DIR), or import a table"
    )]
    NotDefined {
        /// The name of the space.
        space: String,
    },
    /// The choices do not go together.
    #[error("{architecture} makes no network: {problem}")]
    Impossible {
        /// The canonical text of the architecture.
        architecture: String,
        /// What is wrong with it, for people.
        problem: String,
    },
}

impl NoNetwork {
    fn not_defined(space: &SearchSpace) -> Self {
        let space = space.name().to_owned();
        Self::NotDefined { space }
    }
}

/// Makes sure that a space says what its networks are.
///
/// # Errors
/// [`NoNetwork::NotDefined`].
pub fn check_networks(space: &SearchSpace) -> Result<(), NoNetwork> {
    match space.has_networks() {
        true => Ok(()),
        false => Err(NoNetwork::not_defined(space)),
    }
}

/// Builds the network of an architecture. The same architecture, batch and seed give the same bytes.
///
/// # Errors
/// [`NoNetwork`].
pub fn build(space: &SearchSpace, architecture: &Architecture, batch: u32, seed: u64) -> Result<Network, NoNetwork> {
    match space {
        SearchSpace::Chain(chain) => Ok(chain::build(chain, architecture, batch, seed)),
        SearchSpace::Decisions(decisions) => {
            template::build(decisions, architecture, batch, seed).map_err(|none| none.named(space, architecture))
        }
    }
}

/// The operators of an architecture's network at batch 1, in the order in which they run, and what it costs, without building it.
///
/// # Errors
/// [`NoNetwork`].
pub fn counted(space: &SearchSpace, architecture: &Architecture) -> Result<(Vec<Operator>, Cost), NoNetwork> {
    match space {
        SearchSpace::Chain(chain) => Ok(chain::counted(chain, architecture)),
        SearchSpace::Decisions(decisions) => {
            template::counted(decisions, architecture).map_err(|none| none.named(space, architecture))
        }
    }
}

/// The cost of an architecture's network at batch 1; see [`counted`].
///
/// # Errors
/// [`NoNetwork`].
pub fn cost(space: &SearchSpace, architecture: &Architecture) -> Result<Cost, NoNetwork> {
    Ok(counted(space, architecture)?.1)
}

/// Multiply-accumulates of an architecture's network at batch 1; 0 where it makes none.
pub fn macs_if_any(space: &SearchSpace, architecture: &Architecture) -> u64 {
    cost(space, architecture).map_or(0, |cost| cost.macs)
}

/// The operators of an architecture's network at batch 1; see [`counted`].
///
/// # Errors
/// [`NoNetwork`].
pub fn operators(space: &SearchSpace, architecture: &Architecture) -> Result<Vec<Operator>, NoNetwork> {
    Ok(counted(space, architecture)?.0)
}

/// What a runtime of these rules executes of an architecture's network at batch 1, in its order: [`operators`], where there are no rules.
///
/// # Errors
/// [`NoNetwork`].
pub fn executed(
    space: &SearchSpace,
    architecture: &Architecture,
    rules: Option<&Rules>,
) -> Result<Vec<Operator>, NoNetwork> {
    match space {
        SearchSpace::Chain(chain) => Ok(chain::executed(chain, architecture, rules)),
        SearchSpace::Decisions(decisions) => {
            let executed = template::executed(decisions, architecture, rules);
            Ok(executed.map_err(|none| none.named(space, architecture))?.0)
        }
    }
}

/// The most operators that a network of a space has, or more.
///
/// # Errors
/// [`NoNetwork`].
pub fn most_operators(space: &SearchSpace) -> Result<usize, NoNetwork> {
    match space {
        SearchSpace::Chain(chain) => Ok(chain::most_operators(chain)),
        SearchSpace::Decisions(decisions) => {
            let template = decisions.network().ok_or_else(|| NoNetwork::not_defined(space))?;
            Ok(template::most_operators(decisions, template))
        }
    }
}

/// The architecture of a space whose network this is, but for its weights; `None` where it is none of the space, and where the space is
/// no chain.
pub fn recognise(space: &SearchSpace, network: &lglp_onnx::Network) -> Option<Architecture> {
    chain::recognise(space, network)
}

/// Bytes that a network takes while it runs, about, for each input of its batch; weights, which do not grow with it, apart.
/// At its widest operator both sides are held, and a runtime keeps as much again for what it lays out otherwise.
pub fn memory(operators: &[Operator]) -> u64 {
    let values = |channels: u32, side: u32| u64::from(channels) * u64::from(side) * u64::from(side);
    let held = |o: &Operator| values(o.channels_in, o.side_in) + values(o.channels_out, o.side_out);
    let widest = operators.iter().map(held).max().unwrap_or(0);
    widest * size_of::<f32>() as u64 * HELD
}

/// Some architectures of a space, fewer where hardly any makes a network: of a space that does not say what its networks are, any.
pub fn some(space: &SearchSpace, sampler: Sampler<'_>, count: usize) -> Vec<Architecture> {
    let is_possible = |architecture: &Architecture| {
        space.chain().is_some() || !matches!(operators(space, architecture), Err(NoNetwork::Impossible { .. }))
    };
    sampler.take(TRIED * count).filter(is_possible).take(count).collect()
}

/// Architectures that are drawn at most for each that is asked for.
const TRIED: usize = 16;

/// Bytes of the weights of a network.
pub(crate) fn weights(operators: &[Operator]) -> u64 {
    operators.iter().map(|operator| operator.weight_bytes).sum()
}
