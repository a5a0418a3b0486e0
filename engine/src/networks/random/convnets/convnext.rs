//! ConvNeXt (Liu et al., 2022, arXiv:2201.03545): a depthwise convolution, and two products for each place.

use super::{Style, classify, image};
use crate::networks::builder::{Activation, Conv, Fill, Tensor};
use crate::networks::random::Builder;

/// What all blocks have in common.
struct Block {
    kernel: u32,
    expansion: u32,
    activation: Activation,
    is_spelled_out: bool,
    is_scaled: bool,
    /// Whether both products are 1x1 convolutions, and channels stay where they are.
    by_convolution: bool,
}

pub(in super::super) fn convnext(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let block = Block {
        kernel: net.dice.pick(&[5, 7, 7, 7, 9]),
        expansion: net.dice.pick(&[2, 3, 4, 4]),
        activation: net.dice.pick(&[
            Activation::Gelu,
            Activation::Gelu,
            Activation::GeluByTanh,
            Activation::QuickGelu,
            Activation::Relu,
        ]),
        is_spelled_out: net.dice.chance(40),
        is_scaled: net.dice.chance(70),
        by_convolution: net.dice.chance(30),
    };
    let input = image(net);
    let mut width = net.dice.width(24, 160);
    let patch = net.dice.pick(&[2, 4, 4]);
    let mut value = net.conv(&input, Conv::patches(style.channels(width), patch));
    value = net.channel_norm(&value, block.is_spelled_out);
    for stage in 0..net.dice.between(2, 4) {
        if stage > 0 {
            width *= 2;
            value = net.channel_norm(&value, block.is_spelled_out);
            value = net.conv(&value, Conv::patches(style.channels(width), 2));
        }
        for _ in 0..net.dice.between(1, 5) {
            value = block.append(net, &value);
        }
    }
    classify(net, &value)
}

impl Block {
    fn append(&self, net: &mut Builder, input: &Tensor) -> Tensor {
        let channels = input.channels();
        let spread = net.conv(input, Conv::depthwise(channels, self.kernel));
        let output = if self.by_convolution {
            let normalized = net.channel_norm(&spread, true);
            let wide = net.conv(&normalized, Conv::new(self.expansion * channels, 1));
            let active = net.activation(&wide, self.activation);
            let narrow = net.conv(&active, Conv::new(channels, 1));
            self.scale(net, narrow, &[channels, 1, 1])
        } else {
            let last = net.transpose(&spread, &[0, 2, 3, 1]);
            let normalized = net.layer_norm(&last, self.is_spelled_out);
            let wide = net.linear(&normalized, self.expansion * channels, true);
            let active = net.activation(&wide, self.activation);
            let narrow = net.linear(&active, channels, true);
            let scaled = self.scale(net, narrow, &[channels]);
            net.transpose(&scaled, &[0, 3, 1, 2])
        };
        net.add(input, &output)
    }

    /// A learned scale for each channel.
    fn scale(&self, net: &mut Builder, value: Tensor, dims: &[u32]) -> Tensor {
        if self.is_scaled {
            net.with_weights("Mul", &value, dims, Fill::Small)
        } else {
            value
        }
    }
}
