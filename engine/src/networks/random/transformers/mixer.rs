//! Perceptrons over places and over features in turn (Tolstikhin et al., 2021, arXiv:2105.01601).

use super::Style;
use super::vision::{patches, told};
use crate::networks::builder::Tensor;
use crate::networks::random::Builder;

pub(super) fn mixer(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let features = 8 * net.dice.width(12, 96);
    let mut value = patches(net, features);
    let places = value.shape[1];
    let of_places = net.dice.pick(&[1, 2, 4]) * places;
    for _ in 0..net.dice.between(2, 12) {
        value = style.residual(net, &value, |net, value| {
            let turned = net.transpose(value, &[0, 2, 1]);
            let mixed = style.perceptron(net, &turned, of_places);
            net.transpose(&mixed, &[0, 2, 1])
        });
        let inner = style.expansion * features;
        value = style.residual(net, &value, |net, value| style.perceptron(net, value, inner));
    }
    let value = style.norm(net, &value);
    told(net, &value, false)
}
