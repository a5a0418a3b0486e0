//! What shapes come out of a node, by the definitions of ONNX (<https://onnx.ai/onnx/operators/>).

pub(crate) mod einsum;
pub(crate) mod elementwise;
mod layout;
mod products;
mod reduce;
pub(crate) mod selection;
pub(crate) mod windows;

use crate::call::Call;
use crate::fact::Shape;

/// The shapes of a node's outputs; `None` for an operator that is not known.
///
/// # Errors
/// What is wrong with the node, in words.
pub(crate) fn of(call: &Call<'_>) -> Result<Option<Vec<Shape>>, String> {
    if let Some(window) = windows::Window::of(call)? {
        // The largest pool also tells where it was.
        let outputs = if call.op() == "MaxPool" { 2 } else { 1 };
        return Ok(Some(vec![window.output; outputs]));
    }
    let one = match call.op() {
        // What it normalizes with it also tells, where it learns.
        "BatchNormalization" if call.node.output.len() > 1 => {
            let mut outputs = vec![call.shape(1)?.to_vec(); call.node.output.len().min(5)];
            outputs[0] = call.shape(0)?.to_vec();
            return Ok(Some(outputs));
        }
        op if elementwise::is_unary(op) => call.shape(0)?.to_vec(),
        // Before opset 7 slopes were set against the channels.
        "PRelu" => call.shape(0)?.to_vec(),
        op if elementwise::is_broadcast(op) => elementwise::broadcast_all(call)?,
        "Dropout" => return Ok(Some(vec![call.shape(0)?.to_vec(); 2])),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => windows::global(call)?,
        "Gemm" => products::gemm(call)?,
        "MatMul" => products::matmul(call)?,
        "Einsum" => einsum::Einsum::of(call)?.output,
        "LSTM" | "GRU" | "RNN" => return products::recurrent(call).map(Some),
        op if reduce::is(op) => reduce::shape(call)?,
        "Reshape" => layout::reshape(call)?,
        "Flatten" => layout::flatten(call)?,
        "Transpose" => layout::transpose(call)?,
        "Squeeze" => layout::squeeze(call)?,
        "Unsqueeze" => layout::unsqueeze(call)?,
        "Expand" => layout::expand(call)?,
        "Tile" => layout::tile(call)?,
        "DepthToSpace" | "SpaceToDepth" => layout::blocks(call)?,
        "Pad" => layout::pad(call)?,
        "Resize" | "Upsample" => layout::resize(call)?,
        "Concat" => selection::concat(call)?,
        "Split" => return selection::split(call).map(Some),
        "Slice" => selection::slice(call)?,
        "Gather" => selection::gather(call)?,
        "GatherElements" => call.shape(1)?.to_vec(),
        "ScatterElements" | "ScatterND" => call.shape(0)?.to_vec(),
        "TopK" => return selection::top_k(call).map(Some),
        "Shape" => vec![selection::shape_range(call)?.len() as u64],
        "Size" => Vec::new(),
        "Constant" => return Ok(None),
        "ConstantOfShape" => layout::sides(call.numbers(0)?)?,
        "Range" => vec![selection::range(call)?],
        _ => return Ok(None),
    };
    Ok(Some(vec![one]))
}
