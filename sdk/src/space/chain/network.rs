//! What surrounds the searched blocks of a space: stem, head and classifier.

use serde::{Deserialize, Serialize};

/// The fixed parts of a space's networks. The input is an RGB image `[1, 3, resolution, resolution]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFrame {
    /// Outputs of the final fully connected layer.
    pub classes: u32,
    /// Operators before the first block.
    pub stem: Vec<Op>,
    /// Operators between the last block and the classifier.
    pub head: Vec<Op>,
}

/// An operator of the stem or head. Batch normalisation is folded into the convolutions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// Convolution with padding `kernel / 2`, bias and a non-linearity.
    Conv {
        /// Side of the kernel; odd.
        kernel: u32,
        /// Stride in height and width.
        stride: u32,
        /// Channels of the output.
        channels: u32,
        /// The non-linearity that follows.
        activation: Activation,
    },
    /// An inverted-residual layer of stride 1, with an identity connection where the width stays.
    InvertedResidual {
        /// Side of the depthwise kernel; odd.
        kernel: u32,
        /// Ratio of its inner to its input channels; at 1 nothing is expanded.
        expansion: u32,
        /// Channels of the output.
        channels: u32,
        /// The non-linearity after the expansion and after the depthwise convolution; none follows the projection.
        activation: Activation,
    },
    /// Mean over height and width.
    GlobalAveragePool,
}

/// A non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `max(0, x)`.
    Relu,
    /// `max(0, min(6, x))` (MobileNetV2).
    Relu6,
    /// `x * relu6(x + 3) / 6` (MobileNetV3).
    HardSwish,
}
