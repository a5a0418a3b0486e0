//! Encoding D: every attribute of a layer one-hot, and the resolution with each layer.
//!
//! Columns: kernel, expansion, stride, se (one value), shortcut (one value), channels in, channels out, resolution: 37 in
//! `mobilenetv3`.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use lglp_sdk::space::Choices;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::row::{RowFormat, chain, layers, resolution};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// A sequence of layers, for models that read one layer after another, instead of one flat vector.
    sequence: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { sequence: true }
    }
}

pub(crate) struct D {
    format: RowFormat,
    shape: Shape,
    columns: Columns,
    se: Vec<bool>,
    shortcut: Vec<bool>,
    /// Width choices in and out of each slot.
    channels: Vec<(usize, usize)>,
}

/// Where each attribute's columns begin.
struct Columns {
    expansion: usize,
    stride: usize,
    se: usize,
    shortcut: usize,
    channels_in: usize,
    channels_out: usize,
    resolution: usize,
    width: usize,
}

impl Columns {
    fn new(choices: &Choices) -> Self {
        let expansion = choices.kernel.len();
        let stride = expansion + choices.expansion.len();
        let se = stride + choices.stride.len();
        let (shortcut, channels_in) = (se + 1, se + 2);
        let channels_out = channels_in + choices.width.len();
        let resolution = channels_out + choices.width.len();
        Self {
            expansion,
            stride,
            se,
            shortcut,
            channels_in,
            channels_out,
            resolution,
            width: resolution + choices.resolution.len(),
        }
    }
}

impl Encoder for D {
    const NAME: &'static str = "D";
    const SUMMARY: &'static str = "every attribute of a layer one-hot, layer by layer";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
        let space = chain(space, Self::NAME)?;
        let columns = Columns::new(&space.choices);
        let slots = space.slots();
        let (steps, width) = if parameters.sequence {
            (slots, columns.width)
        } else {
            (1, slots * columns.width)
        };
        let width_choice = |channels: u32| space.choices.width.iter().position(|w| *w == channels);
        let mut channels = Vec::with_capacity(slots);
        for block in &space.blocks {
            let (first, out) = (width_choice(block.channels.0), width_choice(block.channels.1));
            let (Some(first), Some(out)) = (first, out) else {
                return Err(PluginError::Failed(format!(
                    "channels {:?} are not among the widths",
                    block.channels
                )));
            };
            channels.extend((0..block.slots()).map(|layer| (if layer == 0 { first } else { out }, out)));
        }
        Ok(Self {
            format: RowFormat::new(&space.choices, slots),
            shape: Shape { steps, width },
            columns,
            se: space.choices.se.clone(),
            shortcut: space.choices.shortcut.clone(),
            channels,
        })
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.format.check(&rows)?;
        let at = &self.columns;
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.shape.len())) {
            let resolution = resolution(row);
            for layer in layers(row) {
                let cells = &mut out[layer.slot * at.width..][..at.width];
                let (channels_in, channels_out) = self.channels[layer.slot];
                cells[layer.kernel] = 1.0;
                cells[at.expansion + layer.expansion] = 1.0;
                cells[at.stride + layer.stride] = 1.0;
                cells[at.se] = f32::from(self.se[layer.se]);
                cells[at.shortcut] = f32::from(self.shortcut[layer.shortcut]);
                cells[at.channels_in + channels_in] = 1.0;
                cells[at.channels_out + channels_out] = 1.0;
                cells[at.resolution + resolution] = 1.0;
            }
        }
        Ok(())
    }
}
