//! The searched layers of an architecture with every attribute resolved: what encoders and network builders read.

use super::{Activation, COLUMNS_PER_LAYER, ChainSpace};
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
    /// Stride of the depthwise convolution; 1 in every layer but a block's first.
    pub stride: u32,
    /// Squeeze-and-excitation.
    pub se: bool,
    /// An identity connection around the layer.
    pub shortcut: bool,
    /// Channels of its input: in a block's first layer the block's input channels, later its output channels.
    pub channels_in: u32,
    /// Channels of its output: the block's output channels.
    pub channels_out: u32,
    /// The non-linearity of its block.
    pub activation: Activation,
}

impl ChainSpace {
    /// Side of the input image of an architecture, pixels.
    pub fn resolution(&self, architecture: &Architecture) -> u32 {
        self.choices.resolution[usize::from(architecture.row()[0]) - 1]
    }

    /// The present layers of an architecture, in the order of computation.
    pub fn layers<'a>(&'a self, architecture: &'a Architecture) -> impl Iterator<Item = Layer> + 'a {
        let mut first = 0;
        self.blocks.iter().enumerate().flat_map(move |(block, spec)| {
            let slots = first..first + spec.slots();
            first = slots.end;
            let cells = &architecture.row()[1 + slots.start * COLUMNS_PER_LAYER..1 + slots.end * COLUMNS_PER_LAYER];
            let present = slots.zip(cells.chunks_exact(COLUMNS_PER_LAYER));
            let mut channels_in = spec.channels.0;
            present.filter(|(_, cells)| cells[0] != 0).map(move |(slot, cells)| {
                let at = |column: usize| usize::from(cells[column]) - 1;
                Layer {
                    slot,
                    block,
                    kernel: self.choices.kernel[at(0)],
                    expansion: self.choices.expansion[at(1)],
                    stride: self.choices.stride[at(2)],
                    se: self.choices.se[at(3)],
                    shortcut: self.choices.shortcut[at(4)],
                    channels_in: std::mem::replace(&mut channels_in, spec.channels.1),
                    channels_out: spec.channels.1,
                    activation: spec.activation,
                }
            })
        })
    }
}
