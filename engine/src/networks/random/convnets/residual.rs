//! Residual networks: basic blocks, bottlenecks, and those of grouped convolutions.

use super::{Style, classify, image};
use crate::networks::builder::{Conv, Statistic, Tensor};
use crate::networks::random::Builder;

/// How the 3x3 convolution of a block slides.
#[derive(Clone, Copy)]
struct Window {
    stride: u32,
    dilation: u32,
}

/// What a block is made of.
#[derive(Clone, Copy)]
enum Block {
    Basic,
    Bottleneck { expansion: u32, groups: u32 },
}

impl Block {
    fn draw(net: &mut Builder) -> Self {
        let expansion = net.dice.pick(&[1, 2, 4, 4]);
        match net.dice.below(3) {
            0 => Self::Basic,
            1 => Self::Bottleneck { expansion, groups: 1 },
            _ => Self::Bottleneck {
                expansion,
                groups: net.dice.pick(&[2, 4, 8, 16, 32]),
            },
        }
    }
}

pub(super) fn residual(net: &mut Builder) -> Tensor {
    let style = Style::draw(net);
    let input = image(net);
    let mut width = net.dice.width(16, 128);
    let block = Block::draw(net);
    let is_pooled = net.dice.chance(60);
    let shortcut_by_pool = net.dice.chance(25);
    let is_dilated = net.dice.chance(40);
    let attends = net.dice.chance(15);
    let mut value = style.stem(net, &input, width, is_pooled);
    for stage in 0..net.dice.between(2, 4) {
        for layer in 0..net.dice.between(1, 5) {
            let window = match (stage, layer) {
                (2.., _) if is_dilated => Window { stride: 1, dilation: 2 },
                (1.., 0) => Window { stride: 2, dilation: 1 },
                _ => Window { stride: 1, dilation: 1 },
            };
            value = append(net, &style, &value, block, width, window, shortcut_by_pool);
        }
        if attends {
            value = style.attend(net, &value);
        }
        width *= 2;
    }
    classify(net, &value)
}

fn append(
    net: &mut Builder,
    style: &Style,
    input: &Tensor,
    block: Block,
    width: u32,
    Window { stride, dilation }: Window,
    shortcut_by_pool: bool,
) -> Tensor {
    let linear = match block {
        Block::Basic => {
            let channels = style.channels(width);
            let first = style.conv(net, input, Conv::new(channels, 3).stride(stride).dilation(dilation));
            style.linear(net, &first, Conv::new(channels, 3).dilation(dilation))
        }
        Block::Bottleneck { expansion, groups } => {
            let inner = style.multiple(width, groups);
            let narrow = style.conv(net, input, Conv::new(inner, 1));
            let spread = style.conv(
                net,
                &narrow,
                Conv::new(inner, 3).stride(stride).groups(groups).dilation(dilation),
            );
            style.linear(net, &spread, Conv::new(style.channels(expansion * width), 1))
        }
    };
    let linear = style.excite(net, &linear);
    let is_alike = stride == 1 && input.channels() == linear.channels();
    let shortcut = if is_alike {
        input.clone()
    } else if stride == 2 && shortcut_by_pool {
        // A kernel of 3 gives as many places as the convolution does, whether sides are odd or not.
        let pooled = net.pool(input, Statistic::Mean, 3, 2);
        style.linear(net, &pooled, Conv::new(linear.channels(), 1))
    } else {
        style.linear(net, input, Conv::new(linear.channels(), 1).stride(stride))
    };
    let sum = net.add(&linear, &shortcut);
    net.activation(&sum, style.activation)
}
