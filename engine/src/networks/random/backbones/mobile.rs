//! Inverted residuals in stages, as MobileNet, MNASNet, EfficientNet and FBNet have them.

use super::{ACTIVATIONS, Style, classify, depths, image};
use crate::networks::builder::{Activation, Conv, Tensor};
use crate::networks::random::Builder;
use crate::networks::random::convnets::inverted_residual;

/// Whether a stage halves the sides.
const HALVES: [bool; 7] = [false, true, true, true, false, true, false];

pub(super) fn mobile(net: &mut Builder) -> Tensor {
    let late = net.dice.pick(&ACTIVATIONS);
    let mut style = Style::of_backbone(net, late);
    // As MobileNetV3 does, some have the cheaper one first.
    let is_cheap_first = net.dice.chance(30);
    if is_cheap_first {
        style.activation = Activation::Relu;
    }
    // Percent of the usual width.
    let scale = net.dice.width(35, 160);
    let scaled = |style: &Style, channels: u32| style.channels(channels * scale / 100);
    let input = image(net);
    let mut value = style.conv(net, &input, Conv::new(scaled(&style, 32), 3).stride(2));
    let mut width = net.dice.between(12, 20);
    let depths = depths(net, HALVES.len(), 4);
    for (stage, (halves, depth)) in HALVES.into_iter().zip(depths).enumerate() {
        if stage == HALVES.len() / 2 {
            style.activation = late;
        }
        let kernel = net.dice.pick(&[3, 3, 5]);
        let channels = scaled(&style, width);
        for layer in 0..depth {
            let stride = if halves && layer == 0 { 2 } else { 1 };
            value = inverted_residual(net, &style, &value, channels, kernel, stride, false);
        }
        width = width * net.dice.between(5, 8) / 4;
    }
    let head = net.dice.pick(&[960, 1280, 1280, 1536]);
    value = style.conv(net, &value, Conv::new(head, 1));
    classify(net, &value)
}
