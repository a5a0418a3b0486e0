//! Detectors: a backbone, a pyramid of feature maps that hear of each other, and heads that say for each place what is there.

use super::{Style, image};
use crate::networks::builder::{Activation, Conv, Interpolation, Statistic, Tensor};
use crate::networks::random::Builder;

pub(super) fn detection(net: &mut Builder) -> Tensor {
    let mut style = Style::draw(net);
    if net.dice.chance(60) {
        style.activation = Activation::Swish;
    }
    let mut levels = backbone(net, &style);
    let concatenates = net.dice.chance(50);
    let width = style.channels(net.dice.width(24, 160));
    levels = levels
        .iter()
        .map(|level| style.conv(net, level, Conv::new(width, 1)))
        .collect();
    let by_transposed = net.dice.chance(40);
    for at in (0..levels.len() - 1).rev() {
        let sides = levels[at].sides();
        let above = if by_transposed && levels[at + 1].sides().map(|side| 2 * side) == sides {
            net.transposed(&levels[at + 1], width, 2, 2)
        } else {
            net.resize(&levels[at + 1], sides, Interpolation::Nearest)
        };
        levels[at] = meet(net, &style, &levels[at], &above, concatenates);
    }
    if net.dice.chance(40) {
        for at in 1..levels.len() {
            let below = style.conv(net, &levels[at - 1], Conv::new(width, 3).stride(2));
            levels[at] = meet(net, &style, &levels[at], &below, concatenates);
        }
    }
    heads(net, &style, &levels)
}

/// Three or four feature maps, each half as high and wide as the one before.
fn backbone(net: &mut Builder, style: &Style) -> Vec<Tensor> {
    let input = image(net);
    let mut width = net.dice.width(12, 64);
    let mut value = if net.dice.chance(20) {
        patches(net, style, &input, width)
    } else {
        style.stem(net, &input, width, false)
    };
    let is_split = net.dice.chance(60);
    let mut levels = Vec::new();
    let stages = net.dice.between(3, 4);
    for stage in 0..stages {
        width *= 2;
        value = style.conv(net, &value, Conv::new(style.channels(width), 3).stride(2));
        let depth = net.dice.between(1, 3);
        value = if is_split {
            cross_stage(net, style, &value, depth)
        } else {
            (0..depth).fold(value, |value, _| bottleneck(net, style, &value))
        };
        if stage + 1 == stages && net.dice.chance(70) {
            value = pyramid(net, style, &value);
        }
        if stage > 0 {
            levels.push(value.clone());
        }
    }
    levels
}

/// Four images of every second row and column become channels.
fn patches(net: &mut Builder, style: &Style, input: &Tensor, width: u32) -> Tensor {
    let [height, across] = input.sides().map(|side| side / 2 * 2);
    let parts = [[0, 0], [1, 0], [0, 1], [1, 1]].map(|[row, column]| {
        let rows = net.slice(input, 2, [row, height], 2);
        net.slice(&rows, 3, [column, across], 2)
    });
    let dealt = net.concat(&parts, 1);
    style.conv(net, &dealt, Conv::new(style.channels(width), 3))
}

/// Half of the channels pass by the blocks, and meet what each of them gave (Wang et al., 2019, arXiv:1911.11929).
fn cross_stage(net: &mut Builder, style: &Style, input: &Tensor, depth: u32) -> Tensor {
    let half = (input.channels() / 2).max(1);
    let both = style.conv(net, input, Conv::new(2 * half, 1));
    let mut parts = net.split(&both, 1, &[half, half]);
    for _ in 0..depth {
        let last = parts[parts.len() - 1].clone();
        parts.push(bottleneck(net, style, &last));
    }
    let all = net.concat(&parts, 1);
    style.conv(net, &all, Conv::new(input.channels(), 1))
}

fn bottleneck(net: &mut Builder, style: &Style, input: &Tensor) -> Tensor {
    let inner = style.channels(input.channels() / 2);
    let kernel = net.dice.pick(&[1, 3]);
    let narrow = style.conv(net, input, Conv::new(inner, kernel));
    let wide = style.conv(net, &narrow, Conv::new(input.channels(), 3));
    net.add(input, &wide)
}

/// Pools of other reaches beside each other.
fn pyramid(net: &mut Builder, style: &Style, input: &Tensor) -> Tensor {
    let narrow = style.conv(net, input, Conv::new(style.channels(input.channels() / 2), 1));
    let mut parts = vec![narrow.clone()];
    let in_a_row = net.dice.chance(60);
    for kernel in [5, 9, 13] {
        let pooled = if in_a_row {
            let last = parts[parts.len() - 1].clone();
            net.pool(&last, Statistic::Max, 5, 1)
        } else {
            net.pool(&narrow, Statistic::Max, kernel, 1)
        };
        parts.push(pooled);
    }
    let all = net.concat(&parts, 1);
    style.conv(net, &all, Conv::new(input.channels(), 1))
}

/// Two maps of one size become one.
fn meet(net: &mut Builder, style: &Style, a: &Tensor, b: &Tensor, concatenates: bool) -> Tensor {
    let channels = a.channels();
    if concatenates {
        let both = net.concat(&[b.clone(), a.clone()], 1);
        style.conv(net, &both, Conv::new(channels, 3))
    } else {
        let sum = net.add(a, b);
        style.conv(net, &sum, Conv::new(channels, 3))
    }
}

/// What each place of each level holds, all of them in one row.
fn heads(net: &mut Builder, style: &Style, levels: &[Tensor]) -> Tensor {
    let numbers = net.dice.pick(&[24, 85, 144]);
    let depth = net.dice.between(1, 3);
    let is_separable = net.dice.chance(25);
    let mut rows = Vec::new();
    for level in levels {
        let mut value = level.clone();
        for _ in 0..depth {
            let channels = value.channels();
            if is_separable {
                value = style.linear(net, &value, Conv::depthwise(channels, 3));
            }
            let kernel = if is_separable { 1 } else { 3 };
            value = style.conv(net, &value, Conv::new(channels, kernel));
        }
        let told = net.conv(&value, Conv::new(numbers, 1));
        let [height, width] = told.sides();
        rows.push(net.reshape(&told, &[1, numbers, height * width]));
    }
    let all = net.concat(&rows, 2);
    match net.dice.below(3) {
        0 => net.transpose(&all, &[0, 2, 1]),
        1 => {
            let parts = net.split(&all, 1, &[4, numbers - 4]);
            let likely = net.unary("Sigmoid", &parts[1], Vec::new());
            net.concat(&[parts[0].clone(), likely], 1)
        }
        _ => net.unary("Sigmoid", &all, Vec::new()),
    }
}
