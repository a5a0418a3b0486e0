//! Networks that say something of each place of an image: an encoder, and a decoder that gives its sides back.

use super::mobile::inverted_residual;
use super::{Style, image};
use crate::networks::builder::{Conv, Interpolation, Statistic, Tensor};
use crate::networks::random::Builder;

/// How a feature map becomes larger.
#[derive(Clone, Copy)]
enum Growth {
    Transposed,
    Resized(Interpolation),
    /// Channels become places.
    Dealt,
}

pub(super) fn segmentation(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let width = net.dice.width(8, 64);
    let output = match net.dice.below(7) {
        0 | 1 => with_skips(net, &style, &input, width),
        2 | 3 => dilated(net, &style, &input, width),
        _ => deconvolved(net, &style, &input, width),
    };
    let classes = net.dice.pick(&[1, 2, 3, 19, 21, 32]);
    let mut output = net.conv(&output, Conv::new(classes, 1));
    if net.dice.chance(60) {
        output = net.resize(&output, input.sides(), Interpolation::Linear);
    }
    match net.dice.below(4) {
        0 => net.softmax(&output, 1),
        1 => net.unary("Sigmoid", &output, Vec::new()),
        _ => output,
    }
}

/// What the encoder knew of each size comes beside what the decoder has of it (Ronneberger et al., 2015, arXiv:1505.04597).
fn with_skips(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let growth = net.dice.pick(&[
        Growth::Transposed,
        Growth::Transposed,
        Growth::Transposed,
        Growth::Resized(Interpolation::Nearest),
        Growth::Resized(Interpolation::Linear),
        Growth::Dealt,
        Growth::Dealt,
    ]);
    let groups = net.dice.pick(&[0, 0, 1, 4]);
    let depth = net.dice.between(2, 4);
    let mut value = input.clone();
    let mut skipped = Vec::new();
    for level in 0..=depth {
        if level > 0 {
            skipped.push(value.clone());
            value = net.pool(&value, Statistic::Max, 2, 2);
        }
        value = pair(net, style, &value, style.channels(width << level), groups);
    }
    while let Some(skip) = skipped.pop() {
        let channels = skip.channels();
        let grown = grow(net, &value, growth, channels, skip.sides());
        let both = net.concat(&[skip, grown], 1);
        value = pair(net, style, &both, channels, groups);
    }
    value
}

/// Two convolutions; normalized over groups of channels, where there are any.
fn pair(net: &mut Builder, style: &Style, input: &Tensor, channels: u32, groups: u32) -> Tensor {
    let mut value = input.clone();
    for _ in 0..2 {
        value = if groups > 0 && channels.is_multiple_of(groups) {
            let plain = net.conv(&value, Conv::new(channels, 3));
            let normalized = net.group_norm(&plain, groups);
            net.activation(&normalized, style.activation)
        } else {
            style.conv(net, &value, Conv::new(channels, 3))
        };
    }
    value
}

/// A feature map of these sides and so many channels.
fn grow(net: &mut Builder, input: &Tensor, growth: Growth, channels: u32, sides: [u32; 2]) -> Tensor {
    let grown = match growth {
        Growth::Transposed => {
            let kernel = net.dice.pick(&[2, 2, 4]);
            net.transposed(input, channels, kernel, 2)
        }
        Growth::Resized(interpolation) => {
            let resized = net.resize(input, sides, interpolation);
            net.conv(&resized, Conv::new(channels, 3))
        }
        Growth::Dealt => {
            let wide = net.conv(input, Conv::new(4 * channels, 1));
            net.depth_to_space(&wide, 2)
        }
    };
    let missing = [0, 1].map(|at| sides[at] - grown.sides()[at]);
    if missing == [0, 0] {
        grown
    } else {
        // The pool had left the last row out.
        net.pad(&grown, missing)
    }
}

/// Small feature maps grow by transposed convolutions (Xiao et al., 2018, arXiv:1804.06208), or by channels that become places.
fn deconvolved(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let is_pooled = net.dice.chance(50);
    let mut value = style.stem(net, input, width, is_pooled);
    let mut channels = width;
    for _ in 0..net.dice.between(2, 3) {
        channels *= 2;
        for layer in 0..net.dice.between(1, 3) {
            let stride = if layer == 0 { 2 } else { 1 };
            value = style.conv(net, &value, Conv::new(style.channels(channels), 3).stride(stride));
        }
    }
    let channels = style.channels(net.dice.width(16, 256));
    let kernel = net.dice.pick(&[2, 4, 4]);
    let is_dealt = net.dice.chance(15);
    let groups = net.dice.pick(&[1, 2, 4]);
    let norm = net.dice.below(4);
    for _ in 0..net.dice.between(2, 3) {
        value = if is_dealt {
            let wide = net.conv(&value, Conv::new(4 * channels, 3));
            net.depth_to_space(&wide, 2)
        } else {
            net.transposed(&value, channels, kernel, 2)
        };
        value = match norm {
            0 => value,
            1 if channels.is_multiple_of(groups) => net.group_norm(&value, groups),
            _ => net.batch_norm(&value),
        };
        value = net.activation(&value, style.activation);
    }
    value
}

/// A backbone whose last stages are dilated, and branches of other dilations beside each other (Chen et al., 2017, arXiv:1706.05587).
fn dilated(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let mut value = style.stem(net, input, width, false);
    let is_mobile = net.dice.chance(40);
    let mut channels = width;
    for stage in 0..net.dice.between(2, 4) {
        channels += channels / 2;
        let is_dilated = stage >= 2;
        for layer in 0..net.dice.between(1, 3) {
            let stride = if layer == 0 && !is_dilated { 2 } else { 1 };
            let out = style.channels(channels);
            value = if is_mobile && !is_dilated {
                inverted_residual(net, style, &value, out, 3, stride, false)
            } else {
                let conv = Conv::new(out, 3).stride(stride);
                style.conv(net, &value, if is_dilated { conv.dilation(2) } else { conv })
            };
        }
    }
    let branch = style.channels(channels / 2);
    let mut branches = vec![style.conv(net, &value, Conv::new(branch, 1))];
    let unit = net.dice.pick(&[2, 3, 6]);
    for times in 1..=net.dice.between(2, 3) {
        branches.push(style.conv(net, &value, Conv::new(branch, 3).dilation(unit * times)));
    }
    if net.dice.chance(60) {
        let pooled = net.global_pool(&value, Statistic::Mean);
        let pooled = net.conv(&pooled, Conv::new(branch, 1));
        let pooled = net.activation(&pooled, style.activation);
        branches.push(net.resize(&pooled, value.sides(), Interpolation::Linear));
    }
    let all = net.concat(&branches, 1);
    style.conv(net, &all, Conv::new(branch, 1))
}
