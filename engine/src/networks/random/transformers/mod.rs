//! Networks with attention, and such as took its place: a structure is drawn, all of them alike likely, and then its sizes.

mod attention;
mod encoder;
mod hybrid;
mod mixer;
mod vision;
mod windows;

use super::convnets::convnext;
use super::dice::Dice;
use crate::networks::builder::{Activation, Tensor};
use crate::networks::random::Builder;

/// How a network is put together.
#[derive(Clone, Copy)]
pub(super) enum Structure {
    Encoder,
    Vision,
    Windows,
    Hybrid,
    ConvolvedProjections,
    Mixer,
    ConvNext,
}

/// By how often networks are put together so.
const STRUCTURES: [Structure; 12] = [
    Structure::Encoder,
    Structure::Encoder,
    Structure::Encoder,
    Structure::Vision,
    Structure::Vision,
    Structure::Windows,
    Structure::Windows,
    Structure::Hybrid,
    Structure::Hybrid,
    Structure::ConvolvedProjections,
    Structure::Mixer,
    Structure::ConvNext,
];

impl Structure {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        dice.pick(&STRUCTURES)
    }

    /// Appends a network of this structure; its output.
    pub(super) fn append(self, net: &mut Builder) -> Tensor {
        match self {
            Self::Encoder => encoder::encoder(net),
            Self::Vision => vision::vision(net),
            Self::Windows => windows::windows(net),
            Self::Hybrid => hybrid::hybrid(net),
            Self::ConvolvedProjections => hybrid::convolved_projections(net),
            Self::Mixer => mixer::mixer(net),
            Self::ConvNext => convnext(net),
        }
    }
}

/// What the layers of one network have in common.
#[derive(Clone, Copy)]
struct Style {
    activation: Activation,
    norms_are_spelled_out: bool,
    projections: Projections,
    scaling: Scaling,
    /// Whether products are of two dimensions, by `Gemm`.
    by_gemm: bool,
    /// Whether normalization comes before attention, and not behind the sum.
    norms_come_first: bool,
    /// Times as many features inside of a perceptron.
    expansion: u32,
}

/// How queries, keys and values come to be.
#[derive(Clone, Copy)]
enum Projections {
    Three,
    /// One product, whose features are split.
    Split,
    /// One product, whose features are a dimension of their own, of which each takes its place.
    Taken,
}

/// Where scores are scaled.
#[derive(Clone, Copy)]
enum Scaling {
    Divided,
    Multiplied,
    QueriesMultiplied,
}

impl Style {
    fn draw(net: &mut Builder) -> Self {
        let dice = &mut net.dice;
        Self {
            activation: dice.pick(&[
                Activation::Gelu,
                Activation::Gelu,
                Activation::Gelu,
                Activation::GeluByTanh,
                Activation::QuickGelu,
                Activation::Relu,
            ]),
            norms_are_spelled_out: dice.chance(45),
            projections: dice.pick(&[Projections::Three, Projections::Split, Projections::Taken]),
            scaling: dice.pick(&[Scaling::Divided, Scaling::Multiplied, Scaling::QueriesMultiplied]),
            by_gemm: dice.chance(20),
            norms_come_first: dice.chance(70),
            expansion: dice.pick(&[2, 3, 4, 4, 4]),
        }
    }

    fn norm(&self, net: &mut Builder, input: &Tensor) -> Tensor {
        net.layer_norm(input, self.norms_are_spelled_out)
    }

    /// A product of each row with weights.
    fn linear(&self, net: &mut Builder, input: &Tensor, features: u32, bias: bool) -> Tensor {
        if !self.by_gemm || input.shape.len() < 3 {
            return net.linear(input, features, bias);
        }
        let rows = input.shape.iter().product::<u32>() / input.features();
        let flat = net.reshape(input, &[rows, input.features()]);
        let output = net.linear(&flat, features, bias);
        let mut shape = input.shape.clone();
        let last = shape.len() - 1;
        shape[last] = features;
        net.reshape(&output, &shape)
    }

    /// Two products, an activation between them.
    fn perceptron(&self, net: &mut Builder, input: &Tensor, inner: u32) -> Tensor {
        let wide = self.linear(net, input, inner, true);
        let active = net.activation(&wide, self.activation);
        self.linear(net, &active, input.features(), true)
    }

    /// What `inside` makes of a value is added to it, normalized before or behind.
    fn residual(
        &self,
        net: &mut Builder,
        input: &Tensor,
        inside: impl FnOnce(&mut Builder, &Tensor) -> Tensor,
    ) -> Tensor {
        if self.norms_come_first {
            let normalized = self.norm(net, input);
            let output = inside(net, &normalized);
            return net.add(input, &output);
        }
        let output = inside(net, input);
        let sum = net.add(&output, input);
        self.norm(net, &sum)
    }

    /// Attention and a perceptron, over `[sequences, places, features]`.
    fn block(&self, net: &mut Builder, input: &Tensor, heads: u32) -> Tensor {
        let attended = self.residual(net, input, |net, value| self.attention(net, value, heads, &[]));
        let inner = self.expansion * input.features();
        self.residual(net, &attended, |net, value| self.perceptron(net, value, inner))
    }
}

/// Numbers of heads and features: each head has as many.
fn draw_features(net: &mut Builder, least: u32, most: u32) -> (u32, u32) {
    let of_head = net.dice.pick(&[24, 32, 32, 48, 64, 64]);
    let heads = (net.dice.width(least, most) / of_head).max(1);
    (heads, heads * of_head)
}
