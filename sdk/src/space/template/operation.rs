//! What the steps of a block do.

use serde::{Deserialize, Serialize};

use crate::space::Expression;

/// Activations that steps may name.
pub const ACTIVATIONS: [&str; 10] = [
    "none",
    "relu",
    "relu6",
    "hard-swish",
    "hard-sigmoid",
    "sigmoid",
    "swish",
    "tanh",
    "leaky-relu",
    "gelu",
];

fn none() -> String {
    "none".into()
}

fn relu() -> String {
    "relu".into()
}

fn hard_sigmoid() -> String {
    "hard-sigmoid".into()
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// What a step does. Batch normalisation is folded into convolutions. Sides of feature maps stay as they are but for strides; an
/// activation is one of [`ACTIVATIONS`], or the decision that chooses one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
    /// A convolution with a bias.
    Conv {
        /// Height and width of the kernel.
        kernel: Expression,
        /// In height and width.
        #[serde(default = "Expression::one")]
        stride: Expression,
        /// Channels of the output.
        #[serde(default = "Expression::same")]
        channels: Expression,
        /// What channels are rounded to a multiple of, to the nearest that is no more than a tenth below.
        #[serde(default = "one")]
        multiple_of: u32,
        /// Groups of channels that have nothing to do with each other.
        #[serde(default = "Expression::one")]
        groups: Expression,
        /// Between the places that the kernel reads.
        #[serde(default = "Expression::one")]
        dilation: Expression,
        /// Whether zeros lie around its input.
        #[serde(default = "yes")]
        padded: bool,
        /// What follows it.
        #[serde(default = "none")]
        activation: String,
    },
    /// A convolution of each channel by itself.
    Depthwise {
        /// Height and width of the kernel.
        kernel: Expression,
        /// In height and width.
        #[serde(default = "Expression::one")]
        stride: Expression,
        /// Between the places that the kernel reads.
        #[serde(default = "Expression::one")]
        dilation: Expression,
        /// What follows it.
        #[serde(default = "none")]
        activation: String,
    },
    /// Batch normalisation that nothing can be folded into.
    BatchNorm {},
    /// An activation.
    Activation {
        /// Which.
        function: String,
    },
    /// Squeeze-and-excitation.
    SqueezeExcite {
        /// Channels in between.
        channels: Expression,
        /// As that of `conv`.
        #[serde(default = "one")]
        multiple_of: u32,
        /// What follows the first product.
        #[serde(default = "relu")]
        activation: String,
        /// What follows the second.
        #[serde(default = "hard_sigmoid")]
        gate: String,
    },
    /// The largest of each window.
    MaxPool {
        /// Height and width of the window.
        kernel: Expression,
        /// In height and width.
        #[serde(default = "Expression::one")]
        stride: Expression,
    },
    /// The mean of each window, of what is there.
    AveragePool {
        /// Height and width of the window.
        kernel: Expression,
        /// In height and width.
        #[serde(default = "Expression::one")]
        stride: Expression,
        /// Whether windows that begin inside count where they end outside.
        #[serde(default)]
        ceil: bool,
    },
    /// The mean over height and width.
    GlobalAveragePool {},
    /// Channels of all groups in turn.
    ChannelShuffle {
        /// Groups.
        groups: Expression,
    },
    /// A fully connected layer, of each token by itself. A feature map is flattened before.
    Linear {
        /// Numbers that come out.
        features: Expression,
        /// What follows it.
        #[serde(default = "none")]
        activation: String,
    },
    /// Layer normalisation of each token.
    LayerNorm {},
    /// Attention of tokens to each other, with the products before and behind it.
    Attention {
        /// Heads.
        heads: Expression,
        /// Features of all heads together.
        #[serde(default = "Expression::same")]
        features: Expression,
    },
    /// The places of a feature map as tokens, each told where it is.
    Tokens {
        /// Whether one more comes before them, that stands for all.
        #[serde(default)]
        class: bool,
    },
    /// The first token alone.
    FirstToken {},
    /// The mean of all tokens.
    MeanToken {},
}

impl Operation {
    /// The numbers that it needs.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Conv {
                kernel,
                stride,
                channels,
                groups,
                dilation,
                ..
            } => vec![kernel, stride, channels, groups, dilation],
            Self::Depthwise {
                kernel,
                stride,
                dilation,
                ..
            } => vec![kernel, stride, dilation],
            Self::MaxPool { kernel, stride } | Self::AveragePool { kernel, stride, .. } => vec![kernel, stride],
            Self::SqueezeExcite { channels: one, .. }
            | Self::ChannelShuffle { groups: one }
            | Self::Linear { features: one, .. } => vec![one],
            Self::Attention { heads, features } => vec![heads, features],
            Self::Activation { .. }
            | Self::BatchNorm {}
            | Self::GlobalAveragePool {}
            | Self::LayerNorm {}
            | Self::Tokens { .. }
            | Self::FirstToken {}
            | Self::MeanToken {} => Vec::new(),
        }
    }

    /// What it rounds channels to a multiple of.
    pub(super) fn multiple_of(&self) -> u32 {
        match self {
            Self::Conv { multiple_of, .. } | Self::SqueezeExcite { multiple_of, .. } => *multiple_of,
            _ => 1,
        }
    }

    /// The activations that it names.
    pub(super) fn activations(&self) -> Vec<&str> {
        match self {
            Self::Conv { activation, .. } | Self::Depthwise { activation, .. } | Self::Linear { activation, .. } => {
                vec![activation]
            }
            Self::Activation { function } => vec![function],
            Self::SqueezeExcite { activation, gate, .. } => vec![activation, gate],
            _ => Vec::new(),
        }
    }
}
