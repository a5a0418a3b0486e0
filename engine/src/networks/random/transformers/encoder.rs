//! Encoders of text, as BERT is.

use crate::networks::builder::{Activation, Fill, Tensor};
use crate::networks::random::Builder;

use super::attention::Bias;
use super::{Style, draw_features};

pub(super) fn encoder(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let places = net.dice.width(32, 384);
    let (heads, features) = draw_features(net, 128, 768);
    let mut value = if net.dice.chance(50) {
        let vocabulary = net.dice.width(1000, 30_000);
        net.embedded(&[1, places], vocabulary, features)
    } else {
        net.input(&[1, places, features])
    };
    value = net.with_weights("Add", &value, &[1, places, features], Fill::Small);
    value = style.norm(net, &value);
    let is_masked = net.dice.chance(50);
    for _ in 0..net.dice.between(1, 12) {
        let biases: &[Bias] = if is_masked { &[Bias::Mask] } else { &[] };
        let attended = style.residual(net, &value, |net, value| style.attention(net, value, heads, biases));
        let inner = style.expansion * features;
        value = style.residual(net, &attended, |net, value| style.perceptron(net, value, inner));
    }
    match net.dice.below(3) {
        0 => value,
        1 => {
            let first = net.gather(&value, 1, 0);
            let pooled = net.linear(&first, features, true);
            net.activation(&pooled, Activation::Tanh)
        }
        _ => {
            let first = net.gather(&value, 1, 0);
            let pooled = net.linear(&first, features, true);
            let active = net.activation(&pooled, Activation::Tanh);
            net.linear(&active, 2, true)
        }
    }
}
