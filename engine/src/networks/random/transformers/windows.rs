//! Attention within windows, which are shifted in every second block (Liu et al., 2021, arXiv:2103.14030).

use super::Style;
use super::attention::Bias;
use super::vision::told;
use crate::networks::builder::{Conv, Tensor};
use crate::networks::random::Builder;

pub(super) fn windows(net: &mut Builder) -> Tensor {
    let style = Style {
        norms_come_first: true,
        ..Style::draw(net)
    };
    let side = net.dice.between(4, 8);
    let stages = net.dice.between(1, 3);
    let unit = 4 * (side << (stages - 1));
    let along = net
        .dice
        .between(96_u32.div_ceil(unit), (320 / unit).max(96_u32.div_ceil(unit)))
        * unit;
    let of_head = net.dice.pick(&[16, 24, 32, 32]);
    let mut heads = net.dice.between(1, 4);
    let input = net.input(&[1, 3, along, along]);
    let map = net.conv(&input, Conv::patches(heads * of_head, 4));
    let mut sides = map.sides()[0];
    let mut value = net.sequence_of(&map);
    value = style.norm(net, &value);
    for stage in 0..stages {
        if stage > 0 {
            value = merged(net, &style, &value, sides);
            sides /= 2;
            heads *= 2;
        }
        for layer in 0..net.dice.between(1, 4) {
            let shift = if layer % 2 == 1 && sides > side { side / 2 } else { 0 };
            let window = Window { side, shift, sides };
            let attended = style.residual(net, &value, |net, value| window.attention(net, &style, value, heads));
            let inner = style.expansion * value.features();
            value = style.residual(net, &attended, |net, value| style.perceptron(net, value, inner));
        }
    }
    let value = style.norm(net, &value);
    told(net, &value, false)
}

/// Windows of `side x side` places on a map of `sides x sides`.
struct Window {
    side: u32,
    shift: u32,
    sides: u32,
}

impl Window {
    fn attention(&self, net: &mut Builder, style: &Style, input: &Tensor, heads: u32) -> Tensor {
        let Self { side, shift, sides } = *self;
        let features = input.features();
        let along = sides / side;
        let mut map = net.reshape(input, &[1, sides, sides, features]);
        map = rolled(net, &map, shift);
        let apart = net.reshape(&map, &[1, along, side, along, side, features]);
        let apart = net.transpose(&apart, &[0, 1, 3, 2, 4, 5]);
        let sequences = net.reshape(&apart, &[along * along, side * side, features]);
        let biases: &[Bias] = if shift > 0 {
            &[Bias::Positions, Bias::Mask]
        } else {
            &[Bias::Positions]
        };
        let attended = style.attention(net, &sequences, heads, biases);
        let apart = net.reshape(&attended, &[1, along, along, side, side, features]);
        let apart = net.transpose(&apart, &[0, 1, 3, 2, 4, 5]);
        let map = net.reshape(&apart, &[1, sides, sides, features]);
        let map = rolled(net, &map, if shift > 0 { sides - shift } else { 0 });
        net.reshape(&map, &input.shape)
    }
}

/// Rows and columns, the first ones behind the last.
fn rolled(net: &mut Builder, map: &Tensor, by: u32) -> Tensor {
    if by == 0 {
        return map.clone();
    }
    [1, 2].into_iter().fold(map.clone(), |map, axis| {
        let end = map.shape[axis];
        let parts = [[by, end], [0, by]].map(|part| net.slice(&map, axis, part, 1));
        net.concat(&parts, axis)
    })
}

/// Four places become one of twice as many features.
fn merged(net: &mut Builder, style: &Style, input: &Tensor, sides: u32) -> Tensor {
    let features = input.features();
    let map = net.reshape(input, &[1, sides, sides, features]);
    let parts = [[0, 0], [1, 0], [0, 1], [1, 1]].map(|[row, column]| {
        let rows = net.slice(&map, 1, [row, sides], 2);
        net.slice(&rows, 2, [column, sides], 2)
    });
    let beside = net.concat(&parts, 3);
    let flat = net.reshape(&beside, &[1, sides * sides / 4, 4 * features]);
    let normalized = style.norm(net, &flat);
    style.linear(net, &normalized, 2 * features, false)
}
