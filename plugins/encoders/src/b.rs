//! Encoding B: kernels one-hot, expansions one-hot, resolution bucket.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bucket::{BUCKETS, buckets};
use crate::row::{RowFormat, chain, layers, resolution};

/// The paper gives 256 values where its parts add up to 248 (40 x 3 + 40 x 3 + 8): the rest is zeros, to a multiple of 16.
const MULTIPLE: usize = 16;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct B {
    format: RowFormat,
    slots: usize,
    kernels: usize,
    expansions: usize,
    buckets: Vec<usize>,
}

impl B {
    fn parts(&self) -> usize {
        self.slots * (self.kernels + self.expansions) + BUCKETS
    }
}

impl Encoder for B {
    const NAME: &'static str = "B";
    const SUMMARY: &'static str = "kernels and expansions one-hot, resolution in 8 buckets";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, _: Parameters) -> Result<Self, PluginError> {
        let space = chain(space, Self::NAME)?;
        Ok(Self {
            format: RowFormat::new(&space.choices, space.slots()),
            slots: space.slots(),
            kernels: space.choices.kernel.len(),
            expansions: space.choices.expansion.len(),
            buckets: buckets(&space.choices.resolution)?,
        })
    }

    fn shape(&self) -> Shape {
        let width = self.parts().next_multiple_of(MULTIPLE);
        Shape { steps: 1, width }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.format.check(&rows)?;
        let expansions_at = self.slots * self.kernels;
        let buckets_at = expansions_at + self.slots * self.expansions;
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.shape().len())) {
            for layer in layers(row) {
                out[layer.slot * self.kernels + layer.kernel] = 1.0;
                out[expansions_at + layer.slot * self.expansions + layer.expansion] = 1.0;
            }
            out[buckets_at + self.buckets[resolution(row)]] = 1.0;
        }
        Ok(())
    }
}
