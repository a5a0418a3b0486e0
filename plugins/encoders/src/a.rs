//! Encoding A: `[kernel, expansion, resolution / 100]` per layer.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::row::{RowFormat, chain, layers, resolution};

const WIDTH: usize = 3;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// A sequence of layers, for models that read one layer after another, instead of one flat vector.
    sequence: bool,
}

pub(crate) struct A {
    format: RowFormat,
    shape: Shape,
    kernels: Vec<f32>,
    expansions: Vec<f32>,
    resolutions: Vec<f32>,
}

impl Encoder for A {
    const NAME: &'static str = "A";
    const SUMMARY: &'static str = "kernel, expansion and resolution as numbers";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
        let space = chain(space, Self::NAME)?;
        let slots = space.slots();
        let (steps, width) = if parameters.sequence {
            (slots, WIDTH)
        } else {
            (1, slots * WIDTH)
        };
        let numbers = |choices: &[u32]| choices.iter().map(|c| *c as f32).collect();
        Ok(Self {
            format: RowFormat::new(&space.choices, slots),
            shape: Shape { steps, width },
            kernels: numbers(&space.choices.kernel),
            expansions: numbers(&space.choices.expansion),
            resolutions: space.choices.resolution.iter().map(|r| *r as f32 / 100.0).collect(),
        })
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.format.check(&rows)?;
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.shape.len())) {
            for layer in layers(row) {
                let cells = &mut out[layer.slot * WIDTH..][..WIDTH];
                cells.copy_from_slice(&[
                    self.kernels[layer.kernel],
                    self.expansions[layer.expansion],
                    self.resolutions[resolution(row)],
                ]);
            }
        }
        Ok(())
    }
}
