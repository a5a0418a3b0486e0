//! What the layers of one network have in common.

use crate::networks::builder::{Activation, Conv, Statistic, Tensor};
use crate::networks::random::Builder;

/// Where batch normalization is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Norm {
    /// Nowhere: convolutions have biases, which it may have become part of.
    Folded,
    /// Behind each convolution, which a runtime makes it part of.
    Behind,
    /// Behind each activation, where no runtime can make it part of anything.
    BehindActivation,
    /// Nowhere, and convolutions have no biases either.
    Without,
}

#[derive(Clone, Copy)]
pub(in super::super) struct Style {
    pub activation: Activation,
    pub norm: Norm,
    /// Numbers of channels are multiples of it.
    pub unit: u32,
    /// In a hundred blocks that may, so many squeeze and excite.
    pub excited: u32,
    gate: Activation,
}

/// By how often networks have them.
const ACTIVATIONS: [Activation; 20] = [
    Activation::Relu,
    Activation::Relu,
    Activation::Relu,
    Activation::Relu,
    Activation::Relu6,
    Activation::Relu6,
    Activation::HardSwish,
    Activation::HardSwish,
    Activation::HardSwishSpelledOut,
    Activation::Swish,
    Activation::Swish,
    Activation::Swish,
    Activation::LeakyRelu,
    Activation::LeakyRelu,
    Activation::PRelu,
    Activation::Gelu,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Elu,
    Activation::Mish,
];

impl Style {
    pub(in super::super) fn draw(net: &mut Builder) -> Self {
        let dice = &mut net.dice;
        Self {
            activation: dice.pick(&ACTIVATIONS),
            norm: dice.pick(&[
                Norm::Folded,
                Norm::Folded,
                Norm::Folded,
                Norm::Behind,
                Norm::Behind,
                Norm::Behind,
                Norm::BehindActivation,
                Norm::Without,
            ]),
            unit: dice.pick(&[1, 2, 4, 8, 8, 16, 16, 32]),
            excited: dice.pick(&[0, 0, 30, 100]),
            gate: dice.pick(&[
                Activation::Sigmoid,
                Activation::Sigmoid,
                Activation::HardSigmoid,
                Activation::HardSigmoidSpelledOut,
            ]),
        }
    }

    /// That of a backbone with an activation: multiples of eight channels, convolutions whose normalization a runtime makes part of them.
    pub(in super::super) fn of_backbone(net: &mut Builder, activation: Activation) -> Self {
        let dice = &mut net.dice;
        Self {
            activation,
            norm: dice.pick(&[Norm::Folded, Norm::Behind]),
            unit: 8,
            excited: dice.pick(&[0, 0, 50, 100]),
            gate: dice.pick(&[Activation::Sigmoid, Activation::Sigmoid, Activation::HardSigmoid]),
        }
    }

    /// A number of channels near another one.
    pub(in super::super) fn channels(&self, about: u32) -> u32 {
        self.multiple(about, 1)
    }

    /// A number of channels near another one that so many groups share.
    pub(in super::super) fn multiple(&self, about: u32, groups: u32) -> u32 {
        let unit = if self.unit.is_multiple_of(groups) {
            self.unit
        } else {
            self.unit.max(2) / 2 * groups
        };
        ((about + unit / 2) / unit).max(1) * unit
    }

    /// A convolution with its normalization.
    pub(in super::super) fn linear(&self, net: &mut Builder, input: &Tensor, conv: Conv) -> Tensor {
        let bias = matches!(self.norm, Norm::Folded | Norm::BehindActivation);
        let output = net.conv(input, Conv { bias, ..conv });
        if self.norm == Norm::Behind {
            net.batch_norm(&output)
        } else {
            output
        }
    }

    /// A convolution with its normalization and activation.
    pub(in super::super) fn conv(&self, net: &mut Builder, input: &Tensor, conv: Conv) -> Tensor {
        let linear = self.linear(net, input, conv);
        let active = net.activation(&linear, self.activation);
        if self.norm == Norm::BehindActivation {
            net.batch_norm(&active)
        } else {
            active
        }
    }

    /// The first layer of a network that makes its input smaller: a convolution, sometimes with a pool behind it.
    pub(in super::super) fn stem(&self, net: &mut Builder, input: &Tensor, channels: u32, with_pool: bool) -> Tensor {
        let kernel = net.dice.pick(&[3, 3, 5, 7]);
        let conv = Conv::new(self.channels(channels), kernel).stride(2);
        let output = if kernel == 3 && net.dice.chance(20) {
            // As TensorFlow has it: zeros on one side, as a step of their own.
            let input = net.pad(input, [1, 1]);
            self.conv(net, &input, Conv { padded: false, ..conv })
        } else {
            self.conv(net, input, conv)
        };
        if with_pool {
            net.pool(&output, Statistic::Max, 3, 2)
        } else {
            output
        }
    }

    /// Squeeze-and-excitation, or what has only one product, where the structure wants it in this block.
    pub(in super::super) fn excite(&self, net: &mut Builder, input: &Tensor) -> Tensor {
        if !net.dice.chance(self.excited) {
            return input.clone();
        }
        let channels = input.channels();
        let mut gate = match net.dice.chance(30) {
            true => net.reduce(input, Statistic::Mean, &[2, 3]),
            false => net.global_pool(input, Statistic::Mean),
        };
        if !net.dice.chance(20) {
            let reduction = net.dice.pick(&[4, 8, 16]);
            let squeezed = net.conv(&gate, Conv::new((channels / reduction).max(2), 1));
            let activation = net.dice.pick(&[Activation::Relu, self.activation]);
            gate = net.activation(&squeezed, activation);
        }
        let gate = net.conv(&gate, Conv::new(channels, 1));
        let gate = net.activation(&gate, self.gate);
        net.binary("Mul", input, &gate)
    }

    /// Attention over places (Woo et al., 2018, arXiv:1807.06521): mean and maximum of the channels tell where to look.
    pub(in super::super) fn attend(&self, net: &mut Builder, input: &Tensor) -> Tensor {
        let mean = net.reduce(input, Statistic::Mean, &[1]);
        let most = net.reduce(input, Statistic::Max, &[1]);
        let both = net.concat(&[mean, most], 1);
        let kernel = net.dice.pick(&[3, 7]);
        let gate = net.conv(&both, Conv::new(1, kernel));
        let gate = net.activation(&gate, self.gate);
        net.binary("Mul", input, &gate)
    }
}
