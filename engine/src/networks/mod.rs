//! Architectures become networks: ONNX models with random weights, and what they cost.
//!
//! Counting, writing and the table of operators are one walk over the same graph, so that they cannot disagree.

mod blocks;
mod given;
mod graph;
mod measured;
mod parts;
mod random;
mod recognition;
mod weights;

use std::iter::Sum;

use lglp_sdk::plugin::abi::{OPERATOR_CONVOLUTION, OPERATOR_POINTWISE, OPERATOR_POOL, Operator};
use lglp_sdk::space::Op;
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use blocks::InvertedResidual;
use graph::{Conv, Graph, Value};

pub use given::{GivenNetwork, LoadedNetwork, Unusable, UnusableNetwork, is_named_onnx, read_file};
pub use measured::{LabelledNetwork, macs_of, measured, operators_of};
pub use parts::{Parts, Walks};
pub use random::{Family, NoRandomNetwork, RandomNetwork, random};
pub use recognition::recognise;

/// An ONNX model (opset 17, IR version 9) from `input` `[batch, 3, resolution, resolution]` to `logits`
/// `[batch, classes]`, float32.
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

/// Builds the network of an architecture. The same architecture, batch and seed give the same bytes.
pub fn build(space: &SearchSpace, architecture: &Architecture, batch: u32, seed: u64) -> Network {
    let graph = Graph::written(batch, space.resolution(architecture), seed);
    append(graph, space, architecture)
}

/// The cost of an architecture's network at batch 1, without building it.
pub fn cost(space: &SearchSpace, architecture: &Architecture) -> Cost {
    let graph = Graph::counted(1, space.resolution(architecture));
    append(graph, space, architecture).cost
}

/// The operators of an architecture's network at batch 1, in the order in which they run.
pub fn operators(space: &SearchSpace, architecture: &Architecture) -> Vec<Operator> {
    let graph = Graph::counted(1, space.resolution(architecture));
    append(graph, space, architecture).operators
}

/// The most operators that a network of a space has.
pub(crate) fn most_operators(space: &SearchSpace) -> usize {
    // An inverted residual has five at most: expand, depthwise, squeeze-and-excite, project, add.
    let framed = |ops: &[Op]| {
        ops.iter()
            .map(|op| if let Op::InvertedResidual { .. } = op { 5 } else { 1 })
            .sum::<usize>()
    };
    framed(&space.network.stem) + 5 * space.slots() + framed(&space.network.head) + 1
}

/// Bytes that a network takes while it runs, about, for each input of its batch; weights, which do not grow with it, apart.
/// At its widest operator both sides are held, and a runtime keeps as much again for what it lays out otherwise.
pub fn memory(operators: &[Operator]) -> u64 {
    let values = |channels: u32, side: u32| u64::from(channels) * u64::from(side) * u64::from(side);
    let held = |o: &Operator| values(o.channels_in, o.side_in) + values(o.channels_out, o.side_out);
    let widest = operators.iter().map(held).max().unwrap_or(0);
    widest * size_of::<f32>() as u64 * HELD
}

/// Bytes of the weights of a network.
pub(crate) fn weights(operators: &[Operator]) -> u64 {
    operators.iter().map(|operator| operator.weight_bytes).sum()
}

fn append(mut graph: Graph, space: &SearchSpace, architecture: &Architecture) -> Network {
    let mut value = graph.input();
    for (part, place) in parts::of(space, architecture) {
        value = part.append(&mut graph, space, &value, place);
    }
    graph.finish(space.network.classes)
}

/// The fixed operators before or after the searched blocks.
fn frame(graph: &mut Graph, name: &str, input: &Value, ops: &[Op]) -> Value {
    let mut value = input.clone();
    for (i, op) in ops.iter().enumerate() {
        let name = format_args!("{name}{i}");
        value = match *op {
            Op::Conv {
                kernel,
                stride,
                channels,
                activation,
            } => {
                let conv = Conv {
                    kernel,
                    stride,
                    channels,
                    depthwise: false,
                };
                let kind = if kernel == 1 {
                    OPERATOR_POINTWISE
                } else {
                    OPERATOR_CONVOLUTION
                };
                graph.begin(kind, &value);
                let linear = graph.conv(name, &value, conv);
                graph.activation(format_args!("{name}.activation"), &linear, activation)
            }
            Op::InvertedResidual {
                kernel,
                expansion,
                channels,
                activation,
            } => {
                let residual = InvertedResidual {
                    kernel,
                    expansion,
                    stride: 1,
                    channels,
                    se: false,
                    shortcut: value.channels == channels,
                    activation,
                };
                residual.append(graph, name, &value)
            }
            Op::GlobalAveragePool => {
                graph.begin(OPERATOR_POOL, &value);
                graph.global_average_pool(name, &value)
            }
        };
    }
    value
}
