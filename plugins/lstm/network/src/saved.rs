//! A fitted state: a safetensors file, weights under PyTorch's names, the rest in its metadata. Everything in it is checked when it is
//! read, before anything is computed with it.

use std::collections::HashMap;
use std::str::FromStr;

use lglp_sdk::plugin::{PluginError, Shape};
use lglp_sdk::strict::Strict;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Deserialize;

use crate::shape::Network;

/// Version of the format.
pub const VERSION: u32 = 1;
/// What its metadata name the format.
const FORMAT: &str = "lglp-lstm";

/// Steps of an input, and values of a step, at most.
const MOST: usize = 1_000_000;

/// The content of a state.
pub struct Saved {
    /// Its shape.
    pub network: Network,
    /// Of an input.
    pub input: Shape,
    /// Name, shape and values of each weight, finite, in the order of [`Network::weights`].
    pub weights: Vec<(String, Vec<i64>, Vec<f32>)>,
    /// What the head gives is `(target - mean) / scale`.
    pub mean: f64,
    /// In the unit of the targets, as is `mean`.
    pub scale: f64,
}

fn unsupported(what: impl Into<String>) -> PluginError {
    PluginError::UnsupportedState(what.into())
}

impl Saved {
    /// Reads a state. Memory is taken only for what is there.
    pub fn read(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        if version != VERSION {
            let message = format!("format version {version}; this plugin reads {VERSION}");
            return Err(unsupported(message));
        }
        let file = SafeTensors::deserialize(state).map_err(|e| unsupported(format!("not a safetensors file: {e}")))?;
        let (_, header) = SafeTensors::read_metadata(state).map_err(|e| unsupported(e.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let text = |name: &str| {
            let text = metadata.get(name);
            text.ok_or_else(|| unsupported(format!("its metadata lack `{name}`")))
        };
        if text("format")? != FORMAT {
            return Err(unsupported(format!("its format is not {FORMAT}")));
        }
        let mut json = serde_json::Deserializer::from_str(text("parameters")?);
        let network = Network::deserialize(Strict::new(&mut json)).and_then(|network| json.end().map(|()| network));
        let network = network.map_err(|e| unsupported(format!("its parameters: {e}")))?;
        network.check().map_err(unsupported)?;
        let input = Shape {
            steps: number("steps", text("steps")?)?,
            width: number("input_width", text("input_width")?)?,
        };
        let expected = network.weights(input);
        if file.len() != expected.len() {
            let (found, expected) = (file.len(), expected.len());
            return Err(unsupported(format!(
                "it holds {found} tensors; such a network has {expected}"
            )));
        }
        let weight = |(name, shape): (String, Vec<i64>)| {
            let view = file.tensor(&name).map_err(|e| unsupported(format!("{name}: {e}")))?;
            let found: Vec<i64> = view.shape().iter().map(|s| *s as i64).collect();
            if view.dtype() != Dtype::F32 || found != shape {
                return Err(unsupported(format!(
                    "{name} is {:?} {found:?}; expected F32 {shape:?}",
                    view.dtype()
                )));
            }
            let cells = view.data().chunks_exact(4);
            let cells: Vec<f32> = cells
                .map(|c| flushed(f32::from_le_bytes([c[0], c[1], c[2], c[3]])))
                .collect();
            match cells.iter().position(|cell| !cell.is_finite()) {
                None => Ok((name, shape, cells)),
                Some(at) => Err(unsupported(format!(
                    "value {at} of {name} is {}, which is not finite",
                    cells[at]
                ))),
            }
        };
        let weights = expected.into_iter().map(weight).collect::<Result<_, _>>()?;
        network.check_work(input)?;
        Ok(Self {
            network,
            input,
            weights,
            mean: finite("target_mean", text("target_mean")?)?,
            scale: finite("target_scale", text("target_scale")?)?,
        })
    }

    /// The bytes of a state; the same for the same content.
    ///
    /// # Errors
    /// `Failed`: a weight has not as many values as its shape says.
    pub fn write(&self) -> Result<Vec<u8>, PluginError> {
        let bytes = |(name, shape, values): &(String, Vec<i64>, Vec<f32>)| {
            let shape: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name.clone(), shape, bytes)
        };
        let values: Vec<_> = self.weights.iter().map(bytes).collect();
        let views = values
            .iter()
            .map(|(name, shape, bytes)| Ok((name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(PluginError::failed)?;
        let network = serde_json::to_string(&self.network).map_err(PluginError::failed)?;
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_string()),
            ("parameters".to_owned(), network),
            ("input_width".to_owned(), self.input.width.to_string()),
            ("steps".to_owned(), self.input.steps.to_string()),
            ("target_mean".to_owned(), self.mean.to_string()),
            ("target_scale".to_owned(), self.scale.to_string()),
        ]);
        let bytes = serialize(views, Some(metadata)).map_err(PluginError::failed)?;
        sorted_metadata(bytes)
    }
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

/// Zero for what a float does not hold at full precision. A training leaves such weights behind where an input is always zero
/// and the penalty wears its weight down; they mean nothing, and arithmetic with them is a hundred times slower.
fn flushed(weight: f32) -> f32 {
    if weight.is_subnormal() { 0.0 } else { weight }
}

fn number(name: &str, text: &str) -> Result<usize, PluginError> {
    let number = usize::from_str(text).ok().filter(|n| (1..=MOST).contains(n));
    number.ok_or_else(|| unsupported(format!("its {name} is no number from 1 to {MOST}")))
}

fn finite(name: &str, text: &str) -> Result<f64, PluginError> {
    let number = f64::from_str(text).ok().filter(|n| n.is_finite());
    number.ok_or_else(|| unsupported(format!("its {name} is not a finite number")))
}
