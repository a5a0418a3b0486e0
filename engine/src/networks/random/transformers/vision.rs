//! Vision transformers (Dosovitskiy et al., 2020, arXiv:2010.11929): patches of an image are the places of a sequence.

use super::{Style, draw_features};
use crate::networks::builder::{Conv, Fill, Statistic, Tensor};
use crate::networks::random::Builder;

pub(super) fn vision(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let (heads, features) = draw_features(net, 96, 768);
    let mut value = patches(net, features);
    let has_class_token = net.dice.chance(70);
    if has_class_token {
        let token = net.weights(&[1, 1, features], Fill::Small);
        let token = Tensor {
            name: token,
            shape: vec![1, 1, features],
        };
        value = net.concat(&[token, value], 1);
    }
    let shape = value.shape.clone();
    value = net.with_weights("Add", &value, &shape, Fill::Small);
    for _ in 0..net.dice.between(2, 12) {
        value = style.block(net, &value, heads);
    }
    let value = style.norm(net, &value);
    told(net, &value, has_class_token)
}

/// The patches of an image as a sequence.
pub(super) fn patches(net: &mut Builder, features: u32) -> Tensor {
    let side = net.dice.pick(&[8, 14, 16, 16, 32]);
    let most = (320 / side).min(24);
    let along = net.dice.between(96_u32.div_ceil(side), most);
    let input = net.input(&[1, 3, side * along, side * along]);
    let map = net.conv(&input, Conv::patches(features, side));
    net.sequence_of(&map)
}

/// Classes, told by the first place or by the mean of all.
pub(super) fn told(net: &mut Builder, value: &Tensor, by_first: bool) -> Tensor {
    let features = if by_first {
        net.gather(value, 1, 0)
    } else {
        let mean = net.reduce(value, Statistic::Mean, &[1]);
        net.squeeze(&mean, 1)
    };
    let classes = net.dice.pick(&[10, 100, 1000, 1000]);
    net.linear(&features, classes, true)
}
