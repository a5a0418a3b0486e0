//! Networks of chains of inverted residuals. They are written and counted by one walk, as parts that come again in network after network.

mod blocks;
mod execution;
mod graph;
mod parts;
mod recognition;

use lglp_onnx::{Order, Rules};
use lglp_sdk::plugin::abi::{OPERATOR_CONVOLUTION, OPERATOR_POINTWISE, OPERATOR_POOL, Operator};
use lglp_sdk::space::Op;
use lglp_sdk::{Architecture, ChainSpace};

use super::{Cost, Network};
use blocks::InvertedResidual;
use graph::{Conv, Graph, Value};

pub(super) use parts::ChainParts;
pub(super) use recognition::recognise;

/// Builds the network of an architecture.
pub(super) fn build(space: &ChainSpace, architecture: &Architecture, batch: u32, seed: u64) -> Network {
    let graph = Graph::written(batch, space.resolution(architecture), seed);
    append(graph, space, architecture)
}

/// The operators of an architecture's network at batch 1, in the order in which they run, and what it costs.
pub(super) fn counted(space: &ChainSpace, architecture: &Architecture) -> (Vec<Operator>, Cost) {
    let graph = Graph::counted(1, space.resolution(architecture));
    let Network { operators, cost, .. } = append(graph, space, architecture);
    (operators, cost)
}

/// What a runtime of these rules executes of an architecture's network, at batch 1.
pub(super) fn executed(space: &ChainSpace, architecture: &Architecture, rules: Option<&Rules>) -> Vec<Operator> {
    let (operators, _) = counted(space, architecture);
    execution::executed(operators, Order::Plain, rules).operators
}

/// The most operators that a network of a space has.
pub(super) fn most_operators(space: &ChainSpace) -> usize {
    // An inverted residual has five at most: expand, depthwise, squeeze-and-excite, project, add.
    let framed = |ops: &[Op]| {
        ops.iter()
            .map(|op| if let Op::InvertedResidual { .. } = op { 5 } else { 1 })
            .sum::<usize>()
    };
    framed(&space.network.stem) + 5 * space.slots() + framed(&space.network.head) + 1
}

fn append(mut graph: Graph, space: &ChainSpace, architecture: &Architecture) -> Network {
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
