//! Residual blocks in stages, as ResNet, ResNeXt and RegNet have them.

use super::{ACTIVATIONS, Style, classify, depths, image};
use crate::networks::builder::{Conv, Tensor};
use crate::networks::random::Builder;

/// What a block is made of.
#[derive(Clone, Copy)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// Between two 1x1 convolutions, a 3x3 one of groups of so many channels; all are one group where it is `None`.
    Bottleneck { expansion: u32, group: Option<u32> },
}

pub(super) fn residual(net: &mut Builder) -> Tensor {
    let activation = net.dice.pick(&ACTIVATIONS);
    let style = Style::of_backbone(net, activation);
    let group = Some(net.dice.pick(&[4, 8, 8, 16, 16, 24, 32, 48, 64]));
    let block = net.dice.pick(&[
        Block::Basic,
        Block::Bottleneck {
            expansion: 4,
            group: None,
        },
        Block::Bottleneck { expansion: 2, group },
        Block::Bottleneck { expansion: 1, group },
        Block::Bottleneck { expansion: 1, group },
    ]);
    let input = image(net);
    let mut width = net.dice.width(24, 96);
    let has_pool = net.dice.chance(50);
    let mut value = style.stem(net, &input, channels(&style, block, 32), has_pool);
    for (stage, depth) in depths(net, 4, 8).into_iter().enumerate() {
        for layer in 0..depth {
            let halves = layer == 0 && (stage > 0 || !has_pool);
            value = append(net, &style, &value, block, width, if halves { 2 } else { 1 });
        }
        width = width * net.dice.between(6, 10) / 4;
    }
    classify(net, &value)
}

/// A number of channels near another one that whole groups make up.
fn channels(style: &Style, block: Block, about: u32) -> u32 {
    match block {
        Block::Bottleneck { group: Some(group), .. } => (about / group).max(1) * group,
        _ => style.channels(about),
    }
}

fn append(net: &mut Builder, style: &Style, input: &Tensor, block: Block, width: u32, stride: u32) -> Tensor {
    let inner = channels(style, block, width);
    let linear = match block {
        Block::Basic => {
            let first = style.conv(net, input, Conv::new(inner, 3).stride(stride));
            style.linear(net, &first, Conv::new(inner, 3))
        }
        Block::Bottleneck { expansion, group } => {
            let groups = group.map_or(1, |group| inner / group);
            let narrow = style.conv(net, input, Conv::new(inner, 1));
            let spread = style.conv(net, &narrow, Conv::new(inner, 3).stride(stride).groups(groups));
            let excited = style.excite(net, &spread);
            style.linear(net, &excited, Conv::new(expansion * inner, 1))
        }
    };
    let shortcut = match linear.shape == input.shape {
        true => input.clone(),
        false => style.linear(net, input, Conv::new(linear.channels(), 1).stride(stride)),
    };
    let sum = net.add(&linear, &shortcut);
    net.activation(&sum, style.activation)
}
