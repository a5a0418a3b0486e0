//! Spaces of chains of inverted residuals: stages of layers between a stem and a head that are fixed (MobileNetV2 and V3, and what was
//! searched around them).

mod check;
mod layers;
mod network;
mod row;
mod sampling;
mod size;

pub use layers::Layer;
pub use network::{Activation, NetworkFrame, Op};
pub(crate) use row::{LayerChoice, RowBuilder, index_of};
pub(super) use sampling::ChainSampler;

use serde::{Deserialize, Serialize};

use super::hex_sha256;

/// A search space of chains: what can be chosen, position by position, and the network that the choices are put into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSpace {
    /// The name used in requests and in the registry, e.g. `mobilenetv3`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Every value that an attribute may take anywhere in the space.
    pub choices: Choices,
    /// The searched blocks, from the input to the output of the network.
    pub blocks: Vec<Block>,
    /// Rules over several blocks.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// What surrounds the searched blocks.
    pub network: NetworkFrame,
}

/// The values that each attribute may take. A row of an architecture holds 1-based indices into these lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// Height and width of the input image, pixels.
    pub resolution: Vec<u32>,
    /// Side of the depthwise kernel.
    pub kernel: Vec<u32>,
    /// Ratio of a layer's inner to its input channels.
    pub expansion: Vec<u32>,
    /// Stride of a block's first layer; later layers have stride 1.
    pub stride: Vec<u32>,
    /// Squeeze-and-excitation, for all layers of a block.
    pub se: Vec<bool>,
    /// An identity connection around a layer.
    pub shortcut: Vec<bool>,
    /// Channel counts between layers.
    pub width: Vec<u32>,
}

/// One block: layers that share their output width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Input channels of the first layer, and output channels of every layer.
    pub channels: (u32, u32),
    /// How many layers the block may have.
    pub depth: Vec<u32>,
    /// Strides that its first layer may have.
    pub stride: Vec<u32>,
    /// Whether its layers may have squeeze-and-excitation.
    pub se: Vec<bool>,
    /// Whether a layer whose shape allows an identity connection may have it.
    pub shortcut: Vec<bool>,
    /// The non-linearity of its layers.
    pub activation: Activation,
    /// What stands in where a form of writing leaves an attribute out. Not needed where there is one choice.
    #[serde(default)]
    pub default: BlockDefault,
}

/// Defaults of the attributes that the Once-for-All form does not write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockDefault {
    /// Stride of the block's first layer; `None` stands for the first that the block may have.
    pub stride: Option<u32>,
    /// Squeeze-and-excitation; `None` stands for the first choice of the block.
    pub se: Option<bool>,
    /// Whether layers whose shape allows it have an identity connection; `None` stands for the first choice of the block.
    pub shortcut: Option<bool>,
}

/// A bound on how many of a range of blocks take a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// The attribute of a block that is counted.
    pub attribute: ConstrainedAttribute,
    /// The value that is counted.
    pub value: u32,
    /// First and last block, counted from 1.
    pub blocks: (usize, usize),
    /// Blocks of the range that must take the value; `None` where none has to.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// Blocks of the range that may take the value; `None` where all may.
    #[serde(default)]
    pub at_most: Option<usize>,
}

/// Attributes that a [`Constraint`] can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstrainedAttribute {
    /// The stride of a block's first layer.
    Stride,
}

/// Columns of a row for each layer slot: kernel, expansion, stride, se, shortcut.
pub const COLUMNS_PER_LAYER: usize = 5;

impl ChainSpace {
    /// SHA-256 of what a canonical text leaves to the space, 64 hexadecimal digits: the channels and activations of its blocks, and
    /// what surrounds them. Texts name the same networks as long as it stays, whatever choices come or go.
    pub fn networks_digest(&self) -> String {
        let blocks: Vec<_> = self
            .blocks
            .iter()
            .map(|block| (block.channels, block.activation))
            .collect();
        let said = serde_json::to_string(&(blocks, &self.network)).expect("a space has string keys only");
        hex_sha256(said)
    }

    /// Layer slots: the depth of the deepest architecture.
    pub fn slots(&self) -> usize {
        self.blocks.iter().map(Block::slots).sum()
    }

    /// The slot of a block's first layer.
    pub fn first_slot(&self, block: usize) -> usize {
        self.blocks[..block].iter().map(Block::slots).sum()
    }

    /// Length of an architecture's row, bytes: the resolution, then [`COLUMNS_PER_LAYER`] for each slot.
    pub fn row_len(&self) -> usize {
        1 + self.slots() * COLUMNS_PER_LAYER
    }
}

impl ChainSpace {
    /// Whether strides of the blocks keep all constraints.
    pub(crate) fn admits(&self, strides: &[u32]) -> bool {
        self.constraints.iter().all(|rule| match rule.attribute {
            ConstrainedAttribute::Stride => rule.admits(strides),
        })
    }
}

impl Constraint {
    /// Whether values of the attribute, one per block of the space, keep the rule.
    pub fn admits(&self, values: &[u32]) -> bool {
        let n = self.count(values);
        self.at_least.is_none_or(|least| n >= least) && self.at_most.is_none_or(|most| n <= most)
    }

    pub(crate) fn count(&self, values: &[u32]) -> usize {
        let (first, last) = self.blocks;
        values[first - 1..last].iter().filter(|v| **v == self.value).count()
    }
}

impl Block {
    /// The most layers that the block may have.
    pub fn slots(&self) -> usize {
        self.depth.iter().copied().max().unwrap_or(0) as usize
    }

    /// Whether a layer of this block can have an identity connection: same width in and out, stride 1.
    pub fn shape_allows_shortcut(&self, layer: usize, stride: u32) -> bool {
        stride == 1 && (layer > 0 || self.channels.0 == self.channels.1)
    }

    pub(crate) fn default_stride(&self) -> u32 {
        self.default.stride.unwrap_or(self.stride[0])
    }

    pub(crate) fn default_se(&self) -> bool {
        self.default.se.unwrap_or(self.se[0])
    }

    pub(crate) fn default_shortcut(&self) -> bool {
        self.default.shortcut.unwrap_or(self.shortcut[0])
    }
}
