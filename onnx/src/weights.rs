//! Models without their weights, and with weights of nobody's: what a network costs follows from shapes.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use prost::Message;

use crate::error::OnnxError;
use crate::fact::{MOST_KEPT, elements};
use crate::limits;
use crate::messages::{
    AttributeProto, BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, GraphProto, INT32, INT64, ModelProto, TensorProto,
};
use crate::tensor::EXTERNAL;

/// Domains of operators that the standard defines.
const STANDARD: [&str; 2] = ["", "ai.onnx"];

/// A model that is read as the one given, without the values of its weights: some kilobytes of many megabytes, to be sent elsewhere.
///
/// # Errors
/// Where it is no model.
pub fn without_weights(model: Bytes) -> Result<Vec<u8>, OnnxError> {
    let mut model = limits::decode(model)?;
    tensors(graph(&mut model)?).for_each(forget);
    Ok(model.encode_to_vec())
}

/// A model that runs as one [without its weights](without_weights) would have: random numbers stand in for them, such that what passes
/// through the network neither fades nor grows, and zeros where they are whole numbers. The model is written anew, of the fields that this crate
/// reads, and of the nodes that something which comes out depends on.
///
/// # Errors
/// Where it is no model; where its weights are of a format that is not measured, or lie beside it, or take more than `most` bytes together; where
/// an operator is not of the standard.
pub fn with_random_weights(structure: Bytes, most: u64) -> Result<Vec<u8>, OnnxError> {
    let mut model = limits::decode(structure)?;
    let graph = graph(&mut model)?;
    for node in &graph.node {
        if !STANDARD.contains(&node.domain.as_str()) {
            return Err(node_error(
                &node.name,
                &node.op_type,
                "it is no operator of the standard",
            ));
        }
    }
    let mut left = most.min(MOST_BYTES);
    for tensor in tensors(graph) {
        let size = size(tensor).map_err(|message| node_error(&tensor.name, "weights", message))?;
        left = left.checked_sub(size).ok_or(OnnxError::TooMuch {
            what: "more bytes of weights than fit into memory, or into a model".into(),
            most: most.min(MOST_BYTES),
        })?;
    }
    keep_what_is_asked_for(graph);
    let inner = inner_sides(graph);
    let mut numbers = Numbers::default();
    for tensor in tensors(graph) {
        fill(tensor, inner.get(&tensor.name).copied(), &mut numbers);
    }
    Ok(model.encode_to_vec())
}

/// What a message of protobuf holds at most, less what a graph takes beside its weights.
const MOST_BYTES: u64 = (1 << 31) - (64 << 20);

fn graph(model: &mut ModelProto) -> Result<&mut GraphProto, OnnxError> {
    let graph = model.graph.as_mut();
    graph.ok_or_else(|| OnnxError::NotOnnx("it has no graph".into()))
}

/// All tensors of a graph: weights, and constants in nodes.
fn tensors(graph: &mut GraphProto) -> impl Iterator<Item = &mut TensorProto> {
    let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
    let constants = attributes.filter_map(|attribute| attribute.t.as_mut());
    graph.initializer.iter_mut().chain(constants)
}

/// Whether a tensor is so short that shapes may be computed from it.
fn is_kept(tensor: &TensorProto) -> bool {
    let elements = tensor.dims.iter().try_fold(1i64, |all, side| all.checked_mul(*side));
    elements.is_some_and(|elements| (0..=MOST_KEPT as i64).contains(&elements))
}

/// Forgets the values of a tensor, unless they are as few as shapes are computed from.
fn forget(tensor: &mut TensorProto) {
    if is_kept(tensor) {
        return;
    }
    *tensor = TensorProto {
        dims: std::mem::take(&mut tensor.dims),
        data_type: tensor.data_type,
        name: std::mem::take(&mut tensor.name),
        ..TensorProto::default()
    };
}

/// Drops nodes and weights that nothing which comes out depends on: a runtime may compute them all the same.
fn keep_what_is_asked_for(graph: &mut GraphProto) {
    let outputs = graph.output.iter().map(|output| output.name.clone());
    let mut asked: HashSet<String> = outputs.filter(|name| !name.is_empty()).collect();
    let mut kept = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|output| asked.contains(output)) {
            // An input that is left out has no name, nor has an output.
            asked.extend(node.input.iter().filter(|name| !name.is_empty()).cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    graph.initializer.retain(|tensor| asked.contains(&tensor.name));
    graph.input.retain(|input| asked.contains(&input.name));
}

/// The bytes of a tensor's values.
fn size(tensor: &TensorProto) -> Result<u64, String> {
    if tensor.data_location == EXTERNAL {
        return Err("its values lie in another file".into());
    }
    let side = |side: &i64| u64::try_from(*side).map_err(|_| format!("a side of {side}"));
    let shape = tensor.dims.iter().map(side).collect::<Result<Vec<_>, _>>()?;
    let width = width(tensor.data_type).ok_or("its values are of a format that is not measured")?;
    Ok(elements(&shape)? * width)
}

/// The bytes of a value of a format; `None` for formats that networks are not measured in.
fn width(data_type: i32) -> Option<u64> {
    match data_type {
        DOUBLE | INT64 => Some(8),
        FLOAT | INT32 => Some(4),
        BOOL => Some(1),
        FLOAT16 | BFLOAT16 => None,
        // Whole numbers of a byte, with a sign and without.
        2 | 3 => Some(1),
        _ => None,
    }
}

/// How many products make one sum with the weights of each name, where its step tells.
fn inner_sides(graph: &GraphProto) -> HashMap<String, usize> {
    let is_flipped = |attribute: &AttributeProto| attribute.name == "transB" && attribute.i != 0;
    let weighted = graph.node.iter().filter_map(|node| {
        let rows_first = match node.op_type.as_str() {
            "MatMul" => true,
            "Gemm" => !node.attribute.iter().any(is_flipped),
            _ => return None,
        };
        Some((node.input.get(1)?.as_str(), rows_first))
    });
    let rows_first: HashMap<&str, bool> = weighted.collect();
    let inner = graph.initializer.iter().filter_map(|tensor| {
        let [.., rows, _] = tensor.dims[..] else { return None };
        let rows_first = rows_first.get(tensor.name.as_str())?;
        rows_first.then_some((tensor.name.clone(), usize::try_from(rows).ok()?))
    });
    inner.collect()
}

/// Gives a tensor values that it lacks; `inner` is how many products make one sum with it.
fn fill(tensor: &mut TensorProto, inner: Option<usize>, numbers: &mut Numbers) {
    if is_kept(tensor) {
        return;
    }
    let count: usize = tensor.dims.iter().map(|side| *side as usize).product();
    // As trained networks are begun: He et al. 2015, https://arxiv.org/abs/1502.01852. What is a list scales or shifts, or is a variance.
    let (middle, reach) = match tensor.dims[..] {
        [first, _, ..] => {
            let inner = inner.unwrap_or(count / (first as usize).max(1));
            (0.0, (6.0 / inner.max(1) as f32).sqrt())
        }
        _ => (1.0, 0.5),
    };
    let values = (0..count).map(|_| middle + reach * numbers.next());
    tensor.raw_data = match tensor.data_type {
        FLOAT => values.flat_map(f32::to_le_bytes).collect(),
        DOUBLE => values.flat_map(|value| f64::from(value).to_le_bytes()).collect(),
        data_type => Bytes::from(vec![0; count * width(data_type).unwrap_or(0) as usize]),
    };
}

/// Numbers from -1 to 1, the same ones each time (xorshift: Marsaglia 2003, https://doi.org/10.18637/jss.v008.i14).
struct Numbers(u64);

impl Default for Numbers {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn node_error(node: &str, op: &str, message: impl Into<String>) -> OnnxError {
    OnnxError::Node {
        node: node.to_owned(),
        op: op.to_owned(),
        message: message.into(),
    }
    .shortened()
}
