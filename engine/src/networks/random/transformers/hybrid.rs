//! Convolutions and attention in one network.

use super::vision::told;
use super::{Style, draw_features};
use crate::networks::builder::{Activation, Conv, Statistic, Tensor};
use crate::networks::random::Builder;
use crate::networks::random::convnets::{self, inverted_residual};

/// Inverted residuals, between them attention of places that are as far from each other as a patch is wide (Mehta and Rastegari, 2021,
/// arXiv:2110.02178).
pub(super) fn hybrid(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let mut of_convolutions = convnets::Style::draw(net);
    of_convolutions.activation = net
        .dice
        .pick(&[Activation::Swish, Activation::Swish, of_convolutions.activation]);
    let side = 32 * net.dice.between(3, 10);
    let input = net.input(&[1, 3, side, side]);
    let mut width = net.dice.width(16, 64);
    let mut value = of_convolutions.stem(net, &input, width, false);
    let (heads, mut features) = draw_features(net, 48, 192);
    for stage in 0..4 {
        width += width / 2;
        let channels = of_convolutions.channels(width);
        value = inverted_residual(net, &of_convolutions, &value, channels, 3, 2, false);
        if stage >= 2 {
            let depth = net.dice.between(1, 4);
            value = unfolded(net, &style, &of_convolutions, &value, [heads, features, depth]);
            features += features / heads * (heads / 2);
            features -= features % heads;
        } else if net.dice.chance(50) {
            value = inverted_residual(net, &of_convolutions, &value, channels, 3, 1, false);
        }
    }
    let pooled = net.global_pool(&value, Statistic::Mean);
    let flat = net.flatten(&pooled);
    net.linear(&flat, 1000, true)
}

fn unfolded(
    net: &mut Builder,
    style: &Style,
    of_convolutions: &convnets::Style,
    input: &Tensor,
    [heads, features, depth]: [u32; 3],
) -> Tensor {
    let channels = input.channels();
    let near = of_convolutions.conv(net, input, Conv::new(channels, 3));
    let map = net.conv(&near, Conv::new(features, 1));
    let [height, width] = map.sides();
    let patch = if height % 2 == 0 && width % 2 == 0 { 2 } else { 1 };
    let (rows, columns) = (height / patch, width / patch);
    let apart = net.reshape(&map, &[features * rows, patch, columns, patch]);
    let turned = net.transpose(&apart, &[0, 2, 1, 3]);
    let places = net.reshape(&turned, &[1, features, rows * columns, patch * patch]);
    let turned = net.transpose(&places, &[0, 3, 2, 1]);
    let mut sequences = net.reshape(&turned, &[patch * patch, rows * columns, features]);
    for _ in 0..depth {
        sequences = style.block(net, &sequences, heads);
    }
    sequences = style.norm(net, &sequences);
    let places = net.reshape(&sequences, &[1, patch * patch, rows * columns, features]);
    let turned = net.transpose(&places, &[0, 3, 2, 1]);
    let apart = net.reshape(&turned, &[features * rows, columns, patch, patch]);
    let turned = net.transpose(&apart, &[0, 2, 1, 3]);
    let map = net.reshape(&turned, &[1, features, height, width]);
    let narrow = of_convolutions.conv(net, &map, Conv::new(channels, 1));
    let both = net.concat(&[input.clone(), narrow], 1);
    of_convolutions.conv(net, &both, Conv::new(channels, 3))
}

/// Queries, keys and values come from depthwise convolutions, the last two of fewer places (Wu et al., 2021, arXiv:2103.15808).
pub(super) fn convolved_projections(net: &mut Builder) -> Tensor {
    let style = Style {
        norms_come_first: true,
        ..Style::draw(net)
    };
    let side = 16 * net.dice.between(6, 20);
    let input = net.input(&[1, 3, side, side]);
    let of_head = net.dice.pick(&[24, 32, 48, 64]);
    let mut heads = 1;
    let fewer = net.dice.pick(&[1, 2, 2]);
    let mut map = net.conv(&input, Conv::new(of_head, 7).stride(4));
    for stage in 0..net.dice.between(2, 3) {
        if stage > 0 {
            heads *= net.dice.between(2, 3);
            map = net.conv(&map, Conv::new(heads * of_head, 3).stride(2));
        }
        let sides = map.sides();
        let sequence = net.sequence_of(&map);
        let mut value = style.norm(net, &sequence);
        for _ in 0..net.dice.between(1, 4) {
            let attended = style.residual(net, &value, |net, value| {
                let map = net.map_of(value, sides);
                let [queries, keys, values] =
                    [1, fewer, fewer].map(|stride| projected(net, &style, &map, stride, heads));
                let found = style.attend(net, [&queries, &keys, &values], &[]);
                style.linear(net, &found, heads * of_head, true)
            });
            let inner = style.expansion * value.features();
            value = style.residual(net, &attended, |net, value| style.perceptron(net, value, inner));
        }
        map = net.map_of(&value, sides);
    }
    let sequence = net.sequence_of(&map);
    let value = style.norm(net, &sequence);
    told(net, &value, false)
}

fn projected(net: &mut Builder, style: &Style, map: &Tensor, stride: u32, heads: u32) -> Tensor {
    let features = map.channels();
    let conv = Conv {
        bias: false,
        ..Conv::depthwise(features, 3).stride(stride)
    };
    let near = net.conv(map, conv);
    let near = net.batch_norm(&near);
    let sequence = net.sequence_of(&near);
    let value = style.linear(net, &sequence, features, true);
    let apart = net.reshape(&value, &[1, value.shape[1], heads, features / heads]);
    net.transpose(&apart, &[0, 2, 1, 3])
}
