//! The searched layers of an architecture with every attribute resolved: what encoders and network builders read.

use super::{Activation, COLUMNS_PER_LAYER, SearchSpace};
use crate::architecture::Architecture;

/// One present layer of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Position among all layer slots of the space; absent layers leave gaps.
    pub slot: usize,
    /// Index of the block, from 0.
    pub block: usize,
    /// Side of the depthwise kernel.
    pub kernel: u32,
    /// Ratio of inner to input channels.
    pub expansion: u32,
    pub stride: u32,
    /// Squeeze-and-excitation.
    pub se: bool,
    /// An identity connection around the layer.
    pub shortcut: bool,
    pub channels_in: u32,
    pub channels_out: u32,
    pub activation: Activation,
}

impl SearchSpace {
    /// Side of the input image of an architecture, pixels.
    pub fn resolution(&self, architecture: &Architecture) -> u32 {
        self.choices.resolution[usize::from(architecture.row()[0]) - 1]
    }

    /// The present layers of an architecture, in the order of computation.
    pub fn layers(&self, architecture: &Architecture) -> Vec<Layer> {
        let mut layers = Vec::with_capacity(self.slots());
        let mut columns = architecture.row()[1..].chunks_exact(COLUMNS_PER_LAYER).enumerate();
        for (block, spec) in self.blocks.iter().enumerate() {
            let mut channels_in = spec.channels.0;
            for (slot, cells) in columns.by_ref().take(spec.slots()) {
                if cells[0] == 0 {
                    continue;
                }
                let at = |column: usize| usize::from(cells[column]) - 1;
                layers.push(Layer {
                    slot,
                    block,
                    kernel: self.choices.kernel[at(0)],
                    expansion: self.choices.expansion[at(1)],
                    stride: self.choices.stride[at(2)],
                    se: self.choices.se[at(3)],
                    shortcut: self.choices.shortcut[at(4)],
                    channels_in,
                    channels_out: spec.channels.1,
                    activation: spec.activation,
                });
                channels_in = spec.channels.1;
            }
        }
        layers
    }
}
