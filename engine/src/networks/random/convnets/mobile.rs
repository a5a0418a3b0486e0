//! Networks of depthwise convolutions: inverted residuals, separable convolutions, shuffled channels.

use super::{Style, classify, image};
use crate::networks::builder::{Activation, Conv, Statistic, Tensor};
use crate::networks::random::Builder;

/// Inverted residuals, as MobileNet has from version 2 on, or depthwise-separable convolutions, as version 1 has.
pub(super) fn mobile(net: &mut Builder) -> Tensor {
    let mut style = Style::draw(net);
    let activations = [
        Activation::Relu6,
        Activation::HardSwish,
        Activation::Swish,
        style.activation,
    ];
    let late = net.dice.pick(&activations);
    style.activation = net.dice.pick(&[Activation::Relu, Activation::Relu6, late, late]);
    let input = image(net);
    let is_separable = net.dice.chance(25);
    let is_fused = net.dice.chance(20);
    let mut width = net.dice.width(12, 72);
    let mut value = style.stem(net, &input, 2 * width, false);
    let stages = net.dice.between(3, 6);
    for stage in 0..stages {
        if stage == stages / 2 {
            style.activation = late;
        }
        for layer in 0..net.dice.between(1, 4) {
            let stride = if layer == 0 && stage < 4 { 2 } else { 1 };
            let kernel = net.dice.pick(&[3, 3, 5, 7]);
            let channels = style.channels(width);
            value = if is_separable {
                let spread = style.conv(net, &value, Conv::depthwise(value.channels(), kernel).stride(stride));
                style.conv(net, &spread, Conv::new(style.channels(2 * width), 1))
            } else {
                inverted_residual(net, &style, &value, channels, kernel, stride, is_fused && stage < 2)
            };
        }
        width = width * net.dice.between(4, 8) / 4;
    }
    let channels = style.channels(net.dice.width(256, 1536));
    value = style.conv(net, &value, Conv::new(channels, 1));
    classify(net, &value)
}

/// More channels, each convolved by itself, and few again. Fused, the first two are one convolution.
pub(in super::super) fn inverted_residual(
    net: &mut Builder,
    style: &Style,
    input: &Tensor,
    channels: u32,
    kernel: u32,
    stride: u32,
    is_fused: bool,
) -> Tensor {
    let expansion = net.dice.pick(&[1, 2, 3, 4, 6, 6]);
    let wide = style.channels(expansion * input.channels());
    let spread = if is_fused {
        style.conv(net, input, Conv::new(wide, 3).stride(stride))
    } else {
        let expanded = match expansion {
            1 => input.clone(),
            _ => style.conv(net, input, Conv::new(wide, 1)),
        };
        style.conv(
            net,
            &expanded,
            Conv::depthwise(expanded.channels(), kernel).stride(stride),
        )
    };
    let excited = style.excite(net, &spread);
    let linear = style.linear(net, &excited, Conv::new(channels, 1));
    if linear.shape == input.shape {
        net.add(input, &linear)
    } else {
        linear
    }
}

/// Channels are split, and shuffled where the parts meet again (Ma et al., 2018, arXiv:1807.11164), or grouped, and shuffled between
/// two convolutions (Zhang et al., 2017, arXiv:1707.01083).
pub(super) fn shuffle(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let first = net.dice.width(16, 64);
    let is_pooled = net.dice.chance(60);
    let mut value = style.stem(net, &input, first, is_pooled);
    let groups = net.dice.pick(&[2, 3, 4, 8]);
    let is_split = net.dice.chance(60);
    let mut width = net.dice.width(24, 320);
    let by_split = net.dice.chance(50);
    for _ in 0..net.dice.between(2, 4) {
        for layer in 0..net.dice.between(2, 6) {
            value = match (is_split, layer) {
                (true, 0) => halved_unit(net, &style, &value, width),
                (true, _) => split_unit(net, &style, &value, by_split),
                (false, _) => grouped_unit(net, &style, &value, width, groups, layer == 0),
            };
        }
        width *= 2;
    }
    let channels = style.channels(net.dice.width(256, 1024));
    value = style.conv(net, &value, Conv::new(channels, 1));
    classify(net, &value)
}

/// Both branches see all channels, and halve the sides.
fn halved_unit(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let half = style.channels(width / 2);
    let branch = style.conv(net, input, Conv::new(half, 1));
    let spread = style.linear(net, &branch, Conv::depthwise(half, 3).stride(2));
    let branch = style.conv(net, &spread, Conv::new(half, 1));
    let spread = style.linear(net, input, Conv::depthwise(input.channels(), 3).stride(2));
    let other = style.conv(net, &spread, Conv::new(half, 1));
    let both = net.concat(&[other, branch], 1);
    net.shuffle_channels(&both, 2)
}

/// One half of the channels stays as it is.
fn split_unit(net: &mut Builder, style: &Style, input: &Tensor, by_split: bool) -> Tensor {
    let half = input.channels() / 2;
    let parts = if by_split {
        net.split(input, 1, &[half, half])
    } else {
        [[0, half], [half, 2 * half]]
            .map(|part| net.slice(input, 1, part, 1))
            .to_vec()
    };
    let branch = style.conv(net, &parts[1], Conv::new(half, 1));
    let spread = style.linear(net, &branch, Conv::depthwise(half, 3));
    let branch = style.conv(net, &spread, Conv::new(half, 1));
    let branch = style.excite(net, &branch);
    let both = net.concat(&[parts[0].clone(), branch], 1);
    net.shuffle_channels(&both, 2)
}

/// 1x1 convolutions of groups, a depthwise one between them.
fn grouped_unit(net: &mut Builder, style: &Style, input: &Tensor, width: u32, groups: u32, halves: bool) -> Tensor {
    let channels = style.multiple(width, groups);
    let inner = style.multiple(width / 4, groups);
    let of_input = if input.channels().is_multiple_of(groups) {
        groups
    } else {
        1
    };
    let narrow = style.conv(net, input, Conv::new(inner, 1).groups(of_input));
    let dealt = net.shuffle_channels(&narrow, groups);
    let stride = if halves { 2 } else { 1 };
    let spread = style.linear(net, &dealt, Conv::depthwise(inner, 3).stride(stride));
    let output = style.linear(net, &spread, Conv::new(channels, 1).groups(groups));
    let output = if halves {
        let pooled = net.pool(input, Statistic::Mean, 3, 2);
        net.concat(&[output, pooled], 1)
    } else if output.shape == input.shape {
        net.add(&output, input)
    } else {
        output
    };
    net.activation(&output, style.activation)
}
