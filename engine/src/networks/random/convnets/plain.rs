//! Networks without branches, as AlexNet and VGG are, and of fire modules, as SqueezeNet is.

use super::{Style, classify, image};
use crate::networks::builder::{Activation, Conv, Statistic, Tensor};
use crate::networks::random::Builder;

/// Convolutions one behind another, stages of them with a pool between.
pub(super) fn plain(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let kernel = net.dice.pick(&[3, 3, 3, 5, 7, 11]);
    let stride = if kernel == 11 { 4 } else { net.dice.pick(&[1, 1, 2]) };
    let mut width = net.dice.width(16, 96);
    let is_normalized = net.dice.chance(50);
    let statistic = net.dice.pick(&[Statistic::Max, Statistic::Max, Statistic::Mean]);
    let by_stride = net.dice.chance(15);
    let mut value = style.conv(net, &input, Conv::new(style.channels(width), kernel).stride(stride));
    let stages = net.dice.between(3, 5);
    let most = net.dice.pick(&[256, 384, 512]);
    for stage in 0..stages {
        if is_normalized && stage < 2 {
            value = net.local_response(&value);
        }
        for _ in 0..net.dice.between(1, 4) {
            let kernel = net.dice.pick(&[1, 3, 3, 3, 3, 5]);
            let groups = if kernel > 1 && net.dice.chance(10) && value.channels().is_multiple_of(2) {
                2
            } else {
                1
            };
            let conv = Conv::new(style.multiple(width, groups), kernel).groups(groups);
            value = style.conv(net, &value, conv);
        }
        value = shrink(net, &style, &value, statistic, by_stride);
        width = (2 * width).min(most);
    }
    if net.dice.chance(40) {
        fully_connected(net, &style, value, statistic)
    } else {
        classify(net, &value)
    }
}

fn shrink(net: &mut Builder, style: &Style, value: &Tensor, statistic: Statistic, by_stride: bool) -> Tensor {
    if value.sides().into_iter().any(|side| side < 6) {
        return value.clone();
    }
    if by_stride {
        return style.conv(net, value, Conv::new(value.channels(), 3).stride(2));
    }
    let kernel = net.dice.pick(&[2, 2, 3]);
    net.pool(value, statistic, kernel, 2)
}

/// Layers of some million weights each, over all that a small map holds.
fn fully_connected(net: &mut Builder, style: &Style, mut value: Tensor, statistic: Statistic) -> Tensor {
    while value.sides().into_iter().any(|side| side > 8) {
        value = net.pool(&value, statistic, 2, 2);
    }
    let mut value = net.flatten(&value);
    let width = net.dice.width(1024, 4096);
    for _ in 0..net.dice.between(1, 2) {
        let hidden = net.linear(&value, width, true);
        let activation = match style.activation {
            // It has a slope for each channel, and here is none.
            Activation::PRelu => Activation::Relu,
            activation => activation,
        };
        value = net.activation(&hidden, activation);
    }
    net.linear(&value, 1000, true)
}

/// Fire modules (Iandola et al., 2016, arXiv:1602.07360): few channels, then 1x1 and 3x3 side by side.
pub(super) fn fire(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let width = net.dice.width(32, 128);
    let mut value = style.stem(net, &input, width, true);
    let has_bypass = net.dice.chance(40);
    let mut squeezed = net.dice.width(8, 64);
    let ratio = net.dice.between(2, 6);
    for stage in 0..net.dice.between(2, 4) {
        if stage > 0 {
            value = net.pool(&value, Statistic::Max, 3, 2);
        }
        for _ in 0..net.dice.between(1, 4) {
            let few = style.conv(net, &value, Conv::new(style.channels(squeezed), 1));
            let expanded = style.channels(ratio * squeezed);
            let narrow = style.conv(net, &few, Conv::new(expanded, 1));
            let wide = style.conv(net, &few, Conv::new(expanded, 3));
            let both = net.concat(&[narrow, wide], 1);
            let is_alike = both.channels() == value.channels();
            value = if has_bypass && is_alike {
                net.add(&both, &value)
            } else {
                both
            };
        }
        squeezed += squeezed / 2;
    }
    if net.dice.chance(50) {
        value = style.conv(net, &value, Conv::new(1000, 1));
        let pooled = net.global_pool(&value, Statistic::Mean);
        return net.flatten(&pooled);
    }
    classify(net, &value)
}
