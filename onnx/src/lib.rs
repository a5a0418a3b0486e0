//! Reads ONNX models into tables of operators, as a runtime executes them, without running anything.
//!
//! A model is decoded (`messages`, `limits`), the shapes of all its values are inferred and what follows from constants alone is
//! computed (`graph`, `shapes`, `fold`), what exporters spell out is put together again (`rewrite`), and what is left is counted
//! (`table`), as a runtime executes it (`execution`). Whatever a file holds, it ends in a table or an error, within bounds of memory and time.

mod call;
mod error;
mod execution;
mod fact;
mod fold;
mod graph;
mod held;
mod limits;
#[expect(
    missing_docs,
    reason = "the schema documents its fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto"
)]
pub mod messages;
mod peculiar;
#[cfg(test)]
mod references;
mod rewrite;
mod shapes;
mod table;
mod tensor;
mod weights;

use std::collections::BTreeMap;

pub use bytes::Bytes;
use lglp_sdk::plugin::abi::Operator;

pub use error::OnnxError;
pub use execution::{Executed, Order, Rules};
pub use rewrite::SQUEEZE_EXCITE;
pub use weights::{with_random_weights, without_weights};

/// A network as its operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Inputs at once: the first side of the model's first input.
    pub batch: u64,
    /// What any runtime computes, in its order, for one input of the batch, in float32; what one executes of it, [`Network::executed`] tells.
    pub operators: Vec<Operator>,
    /// Where each operator stems from.
    pub origins: Vec<Origin>,
}

/// What a runtime holds of a network, bytes, in float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Before it runs anything: weights, and all that follows from constants alone.
    pub constants: u64,
    /// At once while it runs, for all of the batch: values that are still to be read, and what the step then at work sets out for itself, such as
    /// columns of windows.
    pub at_once: u64,
}

/// Where an operator stems from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The operator of ONNX; that which is spelled out, where an operator is several nodes.
    pub op: String,
    /// The name of the node; of the first, where an operator is several. Empty where it has none.
    pub node: String,
    /// The operators whose values it reads, by their places; `None` for an input of the network.
    pub reads: Vec<Option<usize>>,
    /// Whether it adds constants to its products.
    pub has_bias: bool,
    /// How it is spelled out, or the activation that it does, where that is no operator of ONNX.
    pub spelled_out: Option<SpelledOut>,
    /// Dimensions of what it gives, the batch among them.
    pub rank: usize,
    /// Whether the network gives it.
    pub is_output: bool,
    /// In what it costs otherwise than its operator tells, such as `dilated`.
    pub peculiar: Option<&'static str>,
    /// Whether it is just what its operator tells: networks of the same operators, all of them plain, that read the same are one, but for
    /// their weights.
    pub is_plain: bool,
}

/// An activation, or a normalization, that several operators of ONNX compute together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpelledOut {
    /// The one that is no arithmetic, such as `Erf`.
    pub around: String,
    /// How many there are.
    pub steps: u32,
}

/// Reads a model. `shapes` are those of inputs by their names, for inputs that the model leaves open; an open batch is 1.
///
/// # Errors
/// See [`OnnxError`].
pub fn read(model: Bytes, shapes: &BTreeMap<String, Vec<u64>>) -> Result<Network, OnnxError> {
    let network = graph::read(model, shapes).and_then(|graph| table::of(&graph));
    network.map_err(OnnxError::shortened)
}

/// What a runtime holds of a model whose inputs are fixed.
///
/// # Errors
/// As [`read`].
pub fn held(model: Bytes) -> Result<Held, OnnxError> {
    let graph = graph::read(model, &BTreeMap::new()).map_err(OnnxError::shortened)?;
    Ok(held::of(&graph))
}

/// Reads a graph that was made in this process: how large it is, is for who made it to bound.
///
/// # Errors
/// As [`read`].
pub fn read_graph(graph: messages::GraphProto) -> Result<Network, OnnxError> {
    let network = graph::of(graph, &BTreeMap::new()).and_then(|graph| table::of(&graph));
    network.map_err(OnnxError::shortened)
}
