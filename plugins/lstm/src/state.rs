//! Fitted state as a safetensors file: weights under PyTorch's names, the rest in its metadata.

use std::collections::HashMap;

use lglp_sdk::plugin::PluginError;
use safetensors::tensor::{Dtype, TensorView, serialize};
use tch::Tensor;

use crate::model::Model;
pub(crate) use crate::saved::VERSION;
use crate::saved::{FORMAT, Saved};
use crate::torch;

pub(crate) fn save(model: &Model) -> Result<Vec<u8>, PluginError> {
    let mut values = Vec::new();
    for (name, tensor) in &model.tensors {
        let mut cells = vec![0f32; tensor.numel()];
        let count = cells.len();
        tensor
            .f_contiguous()
            .and_then(|t| t.f_copy_data(&mut cells, count))
            .map_err(torch)?;
        let bytes: Vec<u8> = cells.iter().flat_map(|c| c.to_le_bytes()).collect();
        let shape: Vec<usize> = tensor.size().iter().map(|s| *s as usize).collect();
        values.push((name.clone(), shape, bytes));
    }
    let views = values
        .iter()
        .map(|(name, shape, bytes)| Ok((name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(PluginError::failed)?;
    let network = serde_json::to_string(&model.network).map_err(PluginError::failed)?;
    let metadata = HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("version".to_owned(), VERSION.to_string()),
        ("parameters".to_owned(), network),
        ("input_width".to_owned(), model.input.width.to_string()),
        ("steps".to_owned(), model.input.steps.to_string()),
        ("target_mean".to_owned(), model.mean.to_string()),
        ("target_scale".to_owned(), model.scale.to_string()),
    ]);
    let bytes = serialize(views, Some(metadata)).map_err(PluginError::failed)?;
    sorted_metadata(bytes)
}

/// The header with its metadata in order: a map's order differs from run to run, and the same model must give the same
/// bytes.
fn sorted_metadata(bytes: Vec<u8>) -> Result<Vec<u8>, PluginError> {
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().map_err(PluginError::failed)?) as usize;
    let (header, data) = rest.split_at(length);
    let header: serde_json::Value = serde_json::from_slice(header).map_err(PluginError::failed)?;
    // serde_json's maps are sorted; spaces fill up to the length, as the format allows.
    let mut header = serde_json::to_vec(&header).map_err(PluginError::failed)?;
    header.resize(header.len().max(length).next_multiple_of(8), b' ');
    let mut sorted = (header.len() as u64).to_le_bytes().to_vec();
    sorted.extend(header);
    sorted.extend(data);
    Ok(sorted)
}

pub(crate) fn load(version: u32, bytes: &[u8]) -> Result<Model, PluginError> {
    let Saved {
        network,
        input,
        weights,
        mean,
        scale,
    } = Saved::read(version, bytes)?;
    let tensor = |(name, shape, values): (String, Vec<i64>, Vec<f32>)| {
        let tensor = Tensor::f_from_slice(&values).and_then(|t| t.f_view(shape.as_slice()));
        Ok((name, tensor.map_err(torch)?))
    };
    Ok(Model {
        network,
        input,
        tensors: weights.into_iter().map(tensor).collect::<Result<_, PluginError>>()?,
        mean,
        scale,
    })
}
