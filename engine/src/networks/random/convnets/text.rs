//! Readers of lines of text (Shi et al., 2015, arXiv:1507.05717): convolutions, then recurrent layers along the line.

use crate::networks::builder::{Conv, Fill, Statistic, Tensor};
use crate::networks::random::Builder;
use lglp_onnx::messages::AttributeProto;

use super::Style;

pub(super) fn text(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let channels = net.dice.pick(&[1, 3]);
    let (height, length) = (net.dice.pick(&[32, 48, 64]), net.dice.between(96, 480));
    let mut value = net.input(&[1, channels, height, length]);
    let mut width = net.dice.width(16, 96);
    for stage in 0..3 {
        for _ in 0..net.dice.between(1, 2) {
            value = style.conv(net, &value, Conv::new(style.channels(width), 3));
        }
        if stage < 2 {
            value = net.pool(&value, Statistic::Max, 2, 2);
        }
        width = (2 * width).min(512);
    }
    let line = net.reduce(&value, Statistic::Mean, &[2]);
    let line = net.squeeze(&line, 2);
    let mut line = net.transpose(&line, &[2, 0, 1]);
    let hidden = net.dice.width(32, 384);
    let is_lstm = net.dice.chance(70);
    let directions = net.dice.pick(&[1, 2, 2]);
    for _ in 0..net.dice.between(1, 2) {
        line = recurrent(net, &line, hidden, is_lstm, directions);
    }
    let symbols = net.dice.between(37, 200);
    let told = net.linear(&line, symbols, true);
    net.softmax(&told, 2)
}

/// A layer that goes along `[length, 1, features]`, in one direction or both.
fn recurrent(net: &mut Builder, input: &Tensor, hidden: u32, is_lstm: bool, directions: u32) -> Tensor {
    let (op, gates) = if is_lstm { ("LSTM", 4) } else { ("GRU", 3) };
    let [length, _, features] = input.shape[..] else {
        unreachable!("a line has three dimensions");
    };
    let of_input = net.weights(
        &[directions, gates * hidden, features],
        Fill::Product { fan_in: 6 * features },
    );
    let of_state = net.weights(
        &[directions, gates * hidden, hidden],
        Fill::Product { fan_in: 6 * hidden },
    );
    let biases = net.weights(&[directions, 2 * gates * hidden], Fill::Small);
    let mut attributes = vec![AttributeProto::int("hidden_size", i64::from(hidden))];
    if directions == 2 {
        attributes.push(AttributeProto::string("direction", "bidirectional"));
    }
    if !is_lstm {
        attributes.push(AttributeProto::int("linear_before_reset", 1));
    }
    let names = [input.name.as_str(), &of_input, &of_state, &biases];
    let told = net.node(op, &names, vec![length, directions, 1, hidden], attributes);
    if directions == 1 {
        return net.squeeze(&told, 1);
    }
    let beside = net.transpose(&told, &[0, 2, 1, 3]);
    net.reshape(&beside, &[length, 1, directions * hidden])
}
