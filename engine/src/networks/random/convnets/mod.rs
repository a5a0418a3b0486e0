//! Convolutional networks: a structure is drawn, all of them alike likely, and then its sizes.

mod branched;
mod convnext;
mod dense_prediction;
mod detection;
mod mobile;
mod plain;
mod residual;
mod style;
mod text;

use super::dice::Dice;
use crate::networks::builder::{Activation, Statistic, Tensor};
use crate::networks::random::Builder;

pub(super) use convnext::convnext;
pub(super) use mobile::inverted_residual;
pub(super) use style::Style;

/// How a network is put together.
#[derive(Clone, Copy)]
pub(super) enum Structure {
    Plain,
    Residual,
    Mobile,
    Inception,
    Fire,
    Shuffle,
    Dense,
    Detection,
    ConvNext,
    Segmentation,
    Text,
}

const STRUCTURES: [Structure; 11] = [
    Structure::Plain,
    Structure::Residual,
    Structure::Mobile,
    Structure::Inception,
    Structure::Fire,
    Structure::Shuffle,
    Structure::Dense,
    Structure::Detection,
    Structure::ConvNext,
    Structure::Segmentation,
    Structure::Text,
];

impl Structure {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        dice.pick(&STRUCTURES)
    }

    /// Appends a network of this structure; its output.
    pub(super) fn append(self, net: &mut Builder) -> Tensor {
        match self {
            Self::Plain => plain::plain(net),
            Self::Residual => residual::residual(net),
            Self::Mobile => mobile::mobile(net),
            Self::Inception => branched::inception(net),
            Self::Fire => plain::fire(net),
            Self::Shuffle => mobile::shuffle(net),
            Self::Dense => branched::dense(net),
            Self::Detection => detection::detection(net),
            Self::ConvNext => convnext(net),
            Self::Segmentation => dense_prediction::segmentation(net),
            Self::Text => text::text(net),
        }
    }
}

/// An image of random sides, which are mostly alike and mostly multiples of 32.
fn image(net: &mut Builder) -> Tensor {
    let unit = net.dice.pick(&[1, 16, 32, 32]);
    let mut side = || net.dice.between(96_u32.div_ceil(unit), 320 / unit) * unit;
    let (height, other) = (side(), side());
    let width = if net.dice.chance(15) { other } else { height };
    net.input(&[1, 3, height, width])
}

/// What tells classes from features: a pool, sometimes a layer between, and a product.
fn classify(net: &mut Builder, input: &Tensor) -> Tensor {
    let pooled = match net.dice.below(10) {
        0 => net.reduce(input, Statistic::Mean, &[2, 3]),
        1 => net.global_pool(input, Statistic::Max),
        _ => net.global_pool(input, Statistic::Mean),
    };
    let mut features = net.flatten(&pooled);
    if net.dice.chance(10) {
        let width = net.dice.width(256, 2048);
        let hidden = net.linear(&features, width, true);
        features = net.activation(&hidden, Activation::Relu);
    }
    let classes = net.dice.pick(&[10, 100, 1000, 1000]);
    let logits = net.linear(&features, classes, true);
    if net.dice.chance(20) {
        net.softmax(&logits, 1)
    } else {
        logits
    }
}
