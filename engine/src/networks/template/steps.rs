//! Steps of blocks, as nodes of ONNX.

use lglp_sdk::space::Expression;
use lglp_sdk::space::template::{Operation, Step};

use super::scope::Scope;
use crate::networks::builder::{Activation, Builder, Conv, Fill, Statistic, Tensor};
use crate::networks::rounding::nearest_multiple;

/// Nodes of a model at most: a file may ask for any number of them.
const MOST_NODES: usize = 20_000;

/// Elements that one value, and all nodes together, have at most.
const MOST_ELEMENTS: u64 = 1 << 31;
const MOST_COMPUTED: u64 = 1 << 38;

/// Checks that a value, and what was computed so far, is no more than a device holds.
pub(super) fn check_size(net: &Builder, value: &Tensor) -> Result<(), String> {
    let sides = value.shape.iter().map(|side| u64::from(*side));
    let elements = sides.fold(1, u64::saturating_mul);
    if elements > MOST_ELEMENTS {
        return Err(format!("{:?} are more than {MOST_ELEMENTS} numbers", value.shape));
    }
    if net.node_count() > MOST_NODES || net.elements() > MOST_COMPUTED {
        return Err(format!(
            "a network has {MOST_NODES} nodes and {MOST_COMPUTED} numbers at most"
        ));
    }
    Ok(())
}

/// Runs steps one after another.
pub(super) fn run(net: &mut Builder, steps: &[Step], scope: &Scope<'_>, input: &Tensor) -> Result<Tensor, String> {
    let mut value = input.clone();
    for step in steps.iter().filter(|step| scope.holds(&step.when)) {
        value = Place {
            net: &mut *net,
            scope,
            input: &value,
        }
        .step(&step.operation)?;
        check_size(net, &value)?;
    }
    Ok(value)
}

/// An activation, by its name.
pub(super) fn activation(net: &mut Builder, name: &str, input: &Tensor) -> Result<Tensor, String> {
    let activation = match name {
        "none" => return Ok(input.clone()),
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        "hard-swish" => Activation::HardSwish,
        "hard-sigmoid" => Activation::HardSigmoid,
        "sigmoid" => Activation::Sigmoid,
        "swish" => Activation::Swish,
        "tanh" => Activation::Tanh,
        "leaky-relu" => Activation::LeakyRelu,
        "gelu" => Activation::Gelu,
        other => return Err(format!("no activation `{other}`")),
    };
    Ok(net.activation(input, activation))
}

/// Where a step stands.
struct Place<'p, 's> {
    net: &'p mut Builder,
    scope: &'p Scope<'s>,
    input: &'p Tensor,
}

impl Place<'_, '_> {
    fn step(self, operation: &Operation) -> Result<Tensor, String> {
        match operation {
            Operation::Conv { .. } | Operation::Depthwise { .. } => self.convolution(operation),
            Operation::Activation { function } => {
                let input = self.input.clone();
                self.followed_by(function, input)
            }
            Operation::BatchNorm {} => {
                self.map()?;
                Ok(self.net.batch_norm(self.input))
            }
            Operation::SqueezeExcite {
                channels,
                multiple_of,
                activation,
                gate,
            } => self.squeeze_excite(channels, *multiple_of, [activation, gate]),
            Operation::MaxPool { kernel, stride } => {
                let [kernel, stride] = self.window(kernel, stride)?;
                Ok(self.net.pool(self.input, Statistic::Max, kernel, stride))
            }
            Operation::AveragePool { kernel, stride, ceil } => {
                let [kernel, stride] = self.window(kernel, stride)?;
                Ok(self.net.mean_of_what_is_there(self.input, kernel, stride, *ceil))
            }
            Operation::GlobalAveragePool {} => {
                self.map()?;
                Ok(self.net.global_pool(self.input, Statistic::Mean))
            }
            Operation::ChannelShuffle { groups } => {
                self.map()?;
                let groups = self.whole("groups", groups)?;
                self.divides(groups, self.features(), "groups")?;
                Ok(self.net.shuffle_channels(self.input, groups))
            }
            Operation::Linear { features, activation } => {
                let features = self.whole("features", features)?;
                let input = match self.input.shape.len() {
                    4 => self.net.flatten(self.input),
                    _ => self.input.clone(),
                };
                let value = self.net.linear(&input, features, true);
                self.followed_by(activation, value)
            }
            Operation::LayerNorm {} => {
                self.tokens()?;
                Ok(self.net.layer_norm(self.input, false))
            }
            Operation::Attention { heads, features } => self.attention(heads, features),
            Operation::Tokens { class } => self.places(*class),
            Operation::FirstToken {} => {
                self.tokens()?;
                Ok(self.net.gather(self.input, 1, 0))
            }
            Operation::MeanToken {} => {
                self.tokens()?;
                let mean = self.net.reduce(self.input, Statistic::Mean, &[1]);
                Ok(self.net.squeeze(&mean, 1))
            }
        }
    }

    fn followed_by(self, name: &str, value: Tensor) -> Result<Tensor, String> {
        activation(self.net, &self.scope.activation(name), &value)
    }

    /// Channels of a feature map, or the features of tokens.
    fn features(&self) -> u32 {
        match self.input.shape.len() {
            4 => self.input.channels(),
            _ => self.input.features(),
        }
    }

    fn whole(&self, what: &str, expression: &Expression) -> Result<u32, String> {
        self.scope.whole(what, expression, self.features())
    }

    fn map(&self) -> Result<(), String> {
        match self.input.shape.len() {
            4 => Ok(()),
            _ => Err(format!("a feature map is needed, not {:?}", self.input.shape)),
        }
    }

    fn tokens(&self) -> Result<(), String> {
        match self.input.shape.len() {
            3 => Ok(()),
            _ => Err(format!("tokens are needed, not {:?}", self.input.shape)),
        }
    }

    fn divides(&self, part: u32, whole: u32, what: &str) -> Result<(), String> {
        match whole.is_multiple_of(part) {
            true => Ok(()),
            false => Err(format!("{whole} is no multiple of {part} {what}")),
        }
    }

    /// Kernel and stride of a pool, which must fit in.
    fn window(&self, kernel: &Expression, stride: &Expression) -> Result<[u32; 2], String> {
        self.map()?;
        let (kernel, stride) = (self.whole("kernel", kernel)?, self.whole("stride", stride)?);
        self.fits(kernel, kernel % 2 == 1)?;
        Ok([kernel, stride])
    }

    fn fits(&self, reach: u32, is_padded: bool) -> Result<(), String> {
        let [height, width] = self.input.sides();
        let around = if is_padded { reach / 2 * 2 } else { 0 };
        match height.min(width) + around >= reach {
            true => Ok(()),
            false => Err(format!("a window of {reach} does not fit into {height} x {width}")),
        }
    }

    fn convolution(self, operation: &Operation) -> Result<Tensor, String> {
        self.map()?;
        let input = self.features();
        let (conv, follows) = match operation {
            Operation::Conv {
                kernel,
                stride,
                channels,
                multiple_of,
                groups,
                dilation,
                padded,
                activation,
            } => {
                let channels = nearest_multiple(self.whole("channels", channels)?, *multiple_of);
                let groups = self.whole("groups", groups)?;
                self.divides(groups, input, "groups")?;
                self.divides(groups, channels, "groups")?;
                let conv = Conv::new(channels, self.whole("kernel", kernel)?).groups(groups);
                let conv = conv
                    .stride(self.whole("stride", stride)?)
                    .dilation(self.whole("dilation", dilation)?);
                (
                    Conv {
                        padded: *padded,
                        ..conv
                    },
                    activation,
                )
            }
            Operation::Depthwise {
                kernel,
                stride,
                dilation,
                activation,
            } => {
                let conv = Conv::depthwise(input, self.whole("kernel", kernel)?);
                (
                    conv.stride(self.whole("stride", stride)?)
                        .dilation(self.whole("dilation", dilation)?),
                    activation,
                )
            }
            _ => unreachable!("it is a convolution"),
        };
        let reach = (conv.kernel[0] - 1).saturating_mul(conv.dilation).saturating_add(1);
        if conv.padded && reach.is_multiple_of(2) {
            return Err(format!(
                "a kernel of {} cannot be padded evenly; take an odd one, or `padded = false`",
                conv.kernel[0]
            ));
        }
        self.fits(reach, conv.padded)?;
        let value = self.net.conv(self.input, conv);
        self.followed_by(follows, value)
    }

    fn squeeze_excite(
        self,
        channels: &Expression,
        multiple_of: u32,
        [between, gate]: [&str; 2],
    ) -> Result<Tensor, String> {
        self.map()?;
        let reduced = nearest_multiple(self.whole("channels", channels)?, multiple_of);
        let Self { net, scope, input } = self;
        let squeezed = net.global_pool(input, Statistic::Mean);
        let reduced = net.conv(&squeezed, Conv::new(reduced, 1));
        let reduced = activation(net, &scope.activation(between), &reduced)?;
        let excited = net.conv(&reduced, Conv::new(input.channels(), 1));
        let excited = activation(net, &scope.activation(gate), &excited)?;
        Ok(net.binary("Mul", input, &excited))
    }

    fn attention(self, heads: &Expression, features: &Expression) -> Result<Tensor, String> {
        self.tokens()?;
        let (heads, inner) = (self.whole("heads", heads)?, self.whole("features", features)?);
        self.divides(heads, inner, "heads")?;
        let Self { net, input, .. } = self;
        let (batch, length, per_head) = (input.batch(), input.shape[1], inner / heads);
        let mut split = |order: &[usize]| {
            let projected = net.linear(input, inner, true);
            let split = net.reshape(&projected, &[batch, length, heads, per_head]);
            net.transpose(&split, order)
        };
        let (queries, keys, values) = (split(&[0, 2, 1, 3]), split(&[0, 2, 3, 1]), split(&[0, 2, 1, 3]));
        let scores = net.product(&queries, &keys);
        let scores = net.with_number("Mul", &scores, 1.0 / f32::sqrt(per_head as f32));
        let shares = net.softmax(&scores, -1);
        let attended = net.product(&shares, &values);
        let together = net.transpose(&attended, &[0, 2, 1, 3]);
        let together = net.reshape(&together, &[batch, length, inner]);
        Ok(net.linear(&together, input.features(), true))
    }

    fn places(self, class: bool) -> Result<Tensor, String> {
        self.map()?;
        let Self { net, input, .. } = self;
        let mut tokens = net.sequence_of(input);
        let features = tokens.features();
        if class {
            let first = net.repeated(features, input.batch());
            tokens = net.concat(&[first, tokens], 1);
        }
        let places = [1, tokens.shape[1], features];
        Ok(net.with_weights("Add", &tokens, &places, Fill::Small))
    }
}
