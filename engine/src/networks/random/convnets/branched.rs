//! Networks whose branches are put beside each other: Inception and DenseNet.

use super::{Style, classify, image};
use crate::networks::builder::{Conv, Statistic, Tensor};
use crate::networks::random::Builder;

/// Blocks of three or four branches of other kernels (Szegedy et al., 2015, arXiv:1512.00567).
pub(super) fn inception(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let mut width = net.dice.width(12, 96);
    let mut value = style.stem(net, &input, width, true);
    let has_response = net.dice.chance(30);
    if has_response {
        value = net.local_response(&value);
    }
    value = style.conv(net, &value, Conv::new(style.channels(2 * width), 3));
    let is_normalized = net.dice.chance(15);
    for stage in 0..net.dice.between(2, 3) {
        if stage > 0 {
            value = smaller(net, &style, &value, width);
            width += width / 2;
        }
        for _ in 0..net.dice.between(1, 4) {
            value = block(net, &style, &value, width);
            if is_normalized {
                // Behind a concatenation, it stays a step of its own.
                value = net.batch_norm(&value);
            }
        }
    }
    classify(net, &value)
}

fn block(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let mut branches = vec![style.conv(net, input, Conv::new(style.channels(width), 1))];
    for _ in 0..net.dice.between(1, 2) {
        let share = net.dice.between(2, 6);
        let narrow = style.channels(width * share / 4);
        let wide = style.channels(width * (share + 1) / 4);
        let mut branch = style.conv(net, input, Conv::new(narrow, 1));
        let kernels: &[[u32; 2]] = match net.dice.below(6) {
            0 => &[[3, 3]],
            1 => &[[5, 5]],
            2 => &[[3, 3], [3, 3]],
            3 => &[[1, 7], [7, 1]],
            4 => &[[7, 1], [1, 7], [7, 1], [1, 7]],
            _ => &[[1, 3], [3, 1]],
        };
        for kernel in kernels {
            branch = style.conv(net, &branch, Conv::oblong(wide, *kernel));
        }
        branches.push(branch);
    }
    if net.dice.chance(80) {
        let statistic = net.dice.pick(&[Statistic::Max, Statistic::Mean]);
        let pooled = net.pool(input, statistic, 3, 1);
        branches.push(style.conv(net, &pooled, Conv::new(style.channels(width), 1)));
    }
    net.concat(&branches, 1)
}

/// Convolutions and a pool of stride 2, side by side.
fn smaller(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let direct = style.conv(net, input, Conv::new(style.channels(width), 3).stride(2));
    let narrow = style.conv(net, input, Conv::new(style.channels(width), 1));
    let wide = style.conv(net, &narrow, Conv::new(style.channels(width), 3));
    let deep = style.conv(net, &wide, Conv::new(style.channels(width), 3).stride(2));
    let pooled = net.pool(input, Statistic::Max, 3, 2);
    net.concat(&[direct, deep, pooled], 1)
}

/// Each layer reads what all before it gave, normalized and activated before it is convolved (Huang et al., 2017, arXiv:1608.06993).
pub(super) fn dense(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let growth = style.channels(net.dice.width(8, 48));
    let is_narrowed = net.dice.chance(70);
    let width = 2 * growth;
    let is_pooled = net.dice.chance(70);
    let mut value = style.stem(net, &input, width, is_pooled);
    let stages = net.dice.between(2, 4);
    for stage in 0..stages {
        for _ in 0..net.dice.between(2, 10) {
            let mut branch = before(net, &style, &value);
            if is_narrowed {
                branch = net.conv(&branch, without_bias(Conv::new(4 * growth, 1)));
                branch = before(net, &style, &branch);
            }
            branch = net.conv(&branch, without_bias(Conv::new(growth, 3)));
            value = net.concat(&[value, branch], 1);
        }
        value = before(net, &style, &value);
        if stage + 1 < stages {
            value = net.conv(&value, without_bias(Conv::new(style.channels(value.channels() / 2), 1)));
            value = net.pool(&value, Statistic::Mean, 2, 2);
        }
    }
    classify(net, &value)
}

/// What comes before a convolution.
fn before(net: &mut Builder, style: &Style, input: &Tensor) -> Tensor {
    let normalized = net.batch_norm(input);
    net.activation(&normalized, style.activation)
}

fn without_bias(conv: Conv) -> Conv {
    Conv { bias: false, ..conv }
}
