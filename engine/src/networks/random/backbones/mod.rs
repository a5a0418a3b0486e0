//! Backbones as model zoos have them: a structure is drawn, and then its sizes, in the proportions that people scale networks by: multiples of
//! eight channels, square images whose sides halve five times, heads of a thousand classes.

mod mobile;
mod residual;

use super::convnets::Style;
use super::dice::Dice;
use super::transformers;
use crate::networks::builder::{Activation, Statistic, Tensor};
use crate::networks::random::Builder;

/// How a network is put together.
#[derive(Clone, Copy)]
pub(super) enum Structure {
    Mobile,
    Residual,
    Transformer(transformers::Structure),
}

/// By how often networks are put together so.
const STRUCTURES: [Structure; 8] = [
    Structure::Mobile,
    Structure::Mobile,
    Structure::Mobile,
    Structure::Residual,
    Structure::Residual,
    Structure::Residual,
    Structure::Transformer(transformers::Structure::Vision),
    Structure::Transformer(transformers::Structure::Encoder),
];

impl Structure {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        dice.pick(&STRUCTURES)
    }

    /// Appends a network of this structure; its output.
    pub(super) fn append(self, net: &mut Builder) -> Tensor {
        match self {
            Self::Mobile => mobile::mobile(net),
            Self::Residual => residual::residual(net),
            Self::Transformer(structure) => structure.append(net),
        }
    }
}

/// Activations by how often backbones have them.
const ACTIVATIONS: [Activation; 8] = [
    Activation::Relu,
    Activation::Relu,
    Activation::Relu,
    Activation::Relu6,
    Activation::HardSwish,
    Activation::Swish,
    Activation::Swish,
    Activation::Gelu,
];

fn image(net: &mut Builder) -> Tensor {
    let side = 32 * net.dice.between(4, 9);
    net.input(&[1, 3, side, side])
}

fn classify(net: &mut Builder, input: &Tensor) -> Tensor {
    let pooled = net.global_pool(input, Statistic::Mean);
    let features = net.flatten(&pooled);
    net.linear(&features, 1000, true)
}

/// Layers of each stage, few at both ends.
fn depths(net: &mut Builder, stages: usize, most: u32) -> Vec<u32> {
    let middle = 1..stages.saturating_sub(1);
    (0..stages)
        .map(|stage| {
            let most = if middle.contains(&stage) {
                most
            } else {
                most.div_ceil(2)
            };
            net.dice.between(1, most)
        })
        .collect()
}
