//! Encoding C: kernel and expansion of a layer one-hot side by side, then the resolution bucket.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bucket::{BUCKETS, buckets};
use crate::row::{RowFormat, chain, layers, resolution};

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct C {
    format: RowFormat,
    slots: usize,
    kernels: usize,
    layer_width: usize,
    buckets: Vec<usize>,
}

impl Encoder for C {
    const NAME: &'static str = "C";
    const SUMMARY: &'static str = "kernel and expansion one-hot layer by layer, resolution in 8 buckets";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, _: Parameters) -> Result<Self, PluginError> {
        let space = chain(space, Self::NAME)?;
        Ok(Self {
            format: RowFormat::new(&space.choices, space.slots()),
            slots: space.slots(),
            kernels: space.choices.kernel.len(),
            layer_width: space.choices.kernel.len() + space.choices.expansion.len(),
            buckets: buckets(&space.choices.resolution)?,
        })
    }

    fn shape(&self) -> Shape {
        let width = self.slots * self.layer_width + BUCKETS;
        Shape { steps: 1, width }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.format.check(&rows)?;
        let buckets_at = self.slots * self.layer_width;
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.shape().len())) {
            for layer in layers(row) {
                let cells = &mut out[layer.slot * self.layer_width..][..self.layer_width];
                cells[layer.kernel] = 1.0;
                cells[self.kernels + layer.expansion] = 1.0;
            }
            out[buckets_at + self.buckets[resolution(row)]] = 1.0;
        }
        Ok(())
    }
}
