//! Models without their weights: what a network costs follows from shapes.

use bytes::Bytes;
use prost::Message;

use crate::error::OnnxError;
use crate::fact::MOST_KEPT;
use crate::limits;
use crate::messages::{ModelProto, TensorProto};

/// A model that is read as the one given, without the values of its weights: some kilobytes of many megabytes, to be sent elsewhere.
///
/// # Errors
/// Where it is no model.
pub fn without_weights(model: Bytes) -> Result<Vec<u8>, OnnxError> {
    limits::check(&model)?;
    let mut model = ModelProto::decode(model).map_err(|error| OnnxError::NotOnnx(error.to_string()))?;
    let Some(graph) = &mut model.graph else {
        return Err(OnnxError::NotOnnx("it has no graph".into()));
    };
    graph.initializer.iter_mut().for_each(forget);
    let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
    attributes.filter_map(|attribute| attribute.t.as_mut()).for_each(forget);
    Ok(model.encode_to_vec())
}

/// Forgets the values of a tensor, unless they are as few as shapes are computed from.
fn forget(tensor: &mut TensorProto) {
    let elements = tensor.dims.iter().try_fold(1i64, |all, side| all.checked_mul(*side));
    if elements.is_some_and(|elements| (0..=MOST_KEPT as i64).contains(&elements)) {
        return;
    }
    *tensor = TensorProto {
        dims: std::mem::take(&mut tensor.dims),
        data_type: tensor.data_type,
        name: std::mem::take(&mut tensor.name),
        ..TensorProto::default()
    };
}
