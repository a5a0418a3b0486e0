//! Fitted state as a safetensors file: weights under PyTorch's names, the rest in its metadata.

use std::collections::HashMap;
use std::str::FromStr;

use lglp_sdk::plugin::{PluginError, Shape};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use tch::Tensor;

use crate::model::{Model, weights};
use crate::parameters::Network;
use crate::torch;

/// Version of this format.
pub const VERSION: u32 = 1;
const FORMAT: &str = "lglp-lstm";

pub fn save(model: &Model) -> Result<Vec<u8>, PluginError> {
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

pub fn load(version: u32, state: &[u8]) -> Result<Model, PluginError> {
    let unsupported = |what: String| PluginError::UnsupportedState(what);
    if version != VERSION {
        return Err(unsupported(format!(
            "format version {version}; this plugin reads {VERSION}"
        )));
    }
    let file = SafeTensors::deserialize(state).map_err(|e| unsupported(format!("not a safetensors file: {e}")))?;
    let (_, header) = SafeTensors::read_metadata(state).map_err(|e| unsupported(e.to_string()))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let text = |name: &str| {
        metadata
            .get(name)
            .ok_or_else(|| unsupported(format!("its metadata lack `{name}`")))
    };
    if text("format")? != FORMAT {
        return Err(unsupported(format!("its format is not {FORMAT}")));
    }
    let network: Network =
        serde_json::from_str(text("parameters")?).map_err(|e| unsupported(format!("its parameters: {e}")))?;
    network.check().map_err(unsupported)?;
    let input = Shape {
        steps: number(text("steps")?, 1_000_000)?,
        width: number(text("input_width")?, 1_000_000)?,
    };
    let mut tensors = Vec::new();
    for (name, shape) in weights(&network, input) {
        let view = file.tensor(&name).map_err(|e| unsupported(format!("{name}: {e}")))?;
        let found: Vec<i64> = view.shape().iter().map(|s| *s as i64).collect();
        if view.dtype() != Dtype::F32 || found != shape {
            return Err(unsupported(format!(
                "{name} is {:?} {found:?}; expected F32 {shape:?}",
                view.dtype()
            )));
        }
        let cells: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
            .collect();
        let tensor = Tensor::f_from_slice(&cells)
            .and_then(|t| t.f_view(shape.as_slice()))
            .map_err(torch)?;
        tensors.push((name, tensor));
    }
    Ok(Model {
        network,
        input,
        tensors,
        mean: finite(text("target_mean")?)?,
        scale: finite(text("target_scale")?)?,
    })
}

fn number(text: &str, most: usize) -> Result<usize, PluginError> {
    let number = usize::from_str(text).ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| PluginError::UnsupportedState(format!("{text:?} is not a number from 1 to {most}")))
}

fn finite(text: &str) -> Result<f64, PluginError> {
    let number = f64::from_str(text).ok().filter(|n| n.is_finite());
    number.ok_or_else(|| PluginError::UnsupportedState(format!("{text:?} is not a finite number")))
}
