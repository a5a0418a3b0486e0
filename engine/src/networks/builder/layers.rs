//! Layers, as `torch.onnx.export` writes them.

use lglp_onnx::messages::AttributeProto;

use super::{Builder, Fill, Tensor};

/// A convolution. Its pads keep the sides, but for its stride.
#[derive(Clone, Copy)]
pub(in crate::networks) struct Conv {
    pub channels: u32,
    /// Height and width.
    pub kernel: [u32; 2],
    pub stride: u32,
    pub groups: u32,
    pub dilation: u32,
    pub bias: bool,
    /// Whether zeros lie around its input.
    pub padded: bool,
}

impl Conv {
    pub(in crate::networks) fn new(channels: u32, kernel: u32) -> Self {
        Self::oblong(channels, [kernel; 2])
    }

    pub(in crate::networks) fn oblong(channels: u32, kernel: [u32; 2]) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            groups: 1,
            dilation: 1,
            bias: true,
            padded: true,
        }
    }

    /// Each filter reads a square of its own.
    pub(in crate::networks) fn patches(channels: u32, side: u32) -> Self {
        Self {
            stride: side,
            padded: false,
            ..Self::new(channels, side)
        }
    }

    /// One filter per channel.
    pub(in crate::networks) fn depthwise(channels: u32, kernel: u32) -> Self {
        Self::new(channels, kernel).groups(channels)
    }

    pub(in crate::networks) fn stride(self, stride: u32) -> Self {
        Self { stride, ..self }
    }

    pub(in crate::networks) fn groups(self, groups: u32) -> Self {
        Self { groups, ..self }
    }

    pub(in crate::networks) fn dilation(self, dilation: u32) -> Self {
        Self { dilation, ..self }
    }
}

/// How many windows of `kernel` fit, `pad` zeros lying on both sides.
fn places(side: u32, kernel: u32, stride: u32, pad: u32) -> u32 {
    (side + 2 * pad - kernel) / stride + 1
}

/// How many windows begin, as `places`: the last one begins inside, or in the zeros before the input.
fn places_begun(side: u32, kernel: u32, stride: u32, pad: u32) -> u32 {
    let begun = (side + 2 * pad - kernel).div_ceil(stride) + 1;
    let is_last_inside = (begun - 1) * stride < side + pad;
    begun - u32::from(!is_last_inside)
}

/// What windows of a pool do at the ends.
#[derive(Clone, Copy, Default)]
struct Windows {
    /// Whether zeros around the input are part of means.
    counts_around: bool,
    /// Whether windows that begin inside count where they end outside.
    rounds_up: bool,
}

/// The attributes that all windows have.
fn window(kernel: [u32; 2], stride: u32, pads: [u32; 2]) -> Vec<AttributeProto> {
    let ints = |values: &[u32]| values.iter().map(|value| i64::from(*value)).collect();
    vec![
        AttributeProto::ints("kernel_shape", ints(&kernel)),
        AttributeProto::ints("pads", ints(&[pads, pads].concat())),
        AttributeProto::ints("strides", ints(&[stride; 2])),
    ]
}

/// Of pools and reductions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::networks) enum Statistic {
    Max,
    Mean,
}

impl<D> Builder<D> {
    /// A convolution, without what follows it.
    pub(in crate::networks) fn conv(&mut self, input: &Tensor, conv: Conv) -> Tensor {
        let per_filter = input.channels() / conv.groups;
        let dims = [conv.channels, per_filter, conv.kernel[0], conv.kernel[1]];
        let weights = self.weights(
            &dims,
            Fill::Product {
                fan_in: dims[1..].iter().product(),
            },
        );
        let reach = conv.kernel.map(|side| conv.dilation * (side - 1) + 1);
        let pads = reach.map(|side| if conv.padded { side / 2 } else { 0 });
        let [height, width] = input.sides();
        let shape = vec![
            input.batch(),
            conv.channels,
            places(height, reach[0], conv.stride, pads[0]),
            places(width, reach[1], conv.stride, pads[1]),
        ];
        let mut attributes = window(conv.kernel, conv.stride, pads);
        attributes.push(AttributeProto::ints("dilations", vec![i64::from(conv.dilation); 2]));
        attributes.push(AttributeProto::int("group", i64::from(conv.groups)));
        let mut inputs = vec![input.name.clone(), weights];
        if conv.bias {
            inputs.push(self.weights(&[conv.channels], Fill::Small));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.node("Conv", &inputs, shape, attributes)
    }

    /// A transposed convolution that makes both sides `stride` times as long.
    pub(in crate::networks) fn transposed(
        &mut self,
        input: &Tensor,
        channels: u32,
        kernel: u32,
        stride: u32,
    ) -> Tensor {
        let dims = [input.channels(), channels, kernel, kernel];
        let weights = self.weights(
            &dims,
            Fill::Product {
                fan_in: input.channels() * (kernel / stride).pow(2),
            },
        );
        let bias = self.weights(&[channels], Fill::Small);
        let [height, width] = input.sides();
        let shape = vec![input.batch(), channels, height * stride, width * stride];
        let attributes = window([kernel; 2], stride, [(kernel - stride) / 2; 2]);
        self.node("ConvTranspose", &[&input.name, &weights, &bias], shape, attributes)
    }

    /// Batch normalization over the second dimension.
    pub(in crate::networks) fn batch_norm(&mut self, input: &Tensor) -> Tensor {
        let channels = [input.channels()];
        let names =
            [Fill::AboutOne, Fill::Small, Fill::Small, Fill::AboutOne].map(|fill| self.weights(&channels, fill));
        let [scale, shift, mean, variance] = &names;
        let inputs = [input.name.as_str(), scale, shift, mean, variance];
        let attributes = vec![
            AttributeProto::float("epsilon", 1e-5),
            AttributeProto::float("momentum", 0.9),
        ];
        self.node("BatchNormalization", &inputs, input.shape.clone(), attributes)
    }

    /// Local response normalization over five channels.
    pub(in crate::networks) fn local_response(&mut self, input: &Tensor) -> Tensor {
        let attributes = vec![
            AttributeProto::int("size", 5),
            AttributeProto::float("alpha", 1e-4),
            AttributeProto::float("beta", 0.75),
        ];
        self.unary("LRN", input, attributes)
    }

    /// A pool. Kernels of odd sides have zeros around their input.
    pub(in crate::networks) fn pool(
        &mut self,
        input: &Tensor,
        statistic: Statistic,
        kernel: u32,
        stride: u32,
    ) -> Tensor {
        match statistic {
            Statistic::Max => self.windows("MaxPool", input, kernel, stride, Windows::default()),
            Statistic::Mean => {
                let windows = Windows {
                    counts_around: true,
                    rounds_up: false,
                };
                self.windows("AveragePool", input, kernel, stride, windows)
            }
        }
    }

    /// The mean of each window, of which what lies around the input is no part. Windows that begin inside count where they end outside, if
    /// `rounds_up`.
    pub(in crate::networks) fn mean_of_what_is_there(
        &mut self,
        input: &Tensor,
        kernel: u32,
        stride: u32,
        rounds_up: bool,
    ) -> Tensor {
        let windows = Windows {
            counts_around: false,
            rounds_up,
        };
        self.windows("AveragePool", input, kernel, stride, windows)
    }

    fn windows(&mut self, op: &str, input: &Tensor, kernel: u32, stride: u32, windows: Windows) -> Tensor {
        let pad = if kernel % 2 == 1 { kernel / 2 } else { 0 };
        let mut attributes = window([kernel; 2], stride, [pad; 2]);
        if windows.counts_around {
            attributes.push(AttributeProto::int("count_include_pad", 1));
        }
        if windows.rounds_up {
            attributes.push(AttributeProto::int("ceil_mode", 1));
        }
        let places = if windows.rounds_up { places_begun } else { places };
        let [height, width] = input.sides();
        let shape = vec![
            input.batch(),
            input.channels(),
            places(height, kernel, stride, pad),
            places(width, kernel, stride, pad),
        ];
        self.node(op, &[&input.name], shape, attributes)
    }

    /// A pool over height and width, which stay as sides of 1.
    pub(in crate::networks) fn global_pool(&mut self, input: &Tensor, statistic: Statistic) -> Tensor {
        let op = match statistic {
            Statistic::Max => "GlobalMaxPool",
            Statistic::Mean => "GlobalAveragePool",
        };
        self.node(
            op,
            &[&input.name],
            vec![input.batch(), input.channels(), 1, 1],
            Vec::new(),
        )
    }

    /// The mean or maximum over some dimensions, which stay as sides of 1.
    pub(in crate::networks) fn reduce(&mut self, input: &Tensor, statistic: Statistic, axes: &[i64]) -> Tensor {
        let op = match statistic {
            Statistic::Max => "ReduceMax",
            Statistic::Mean => "ReduceMean",
        };
        let mut shape = input.shape.clone();
        let rank = shape.len() as i64;
        for axis in axes {
            shape[axis.rem_euclid(rank) as usize] = 1;
        }
        let attributes = vec![
            AttributeProto::ints("axes", axes.to_vec()),
            AttributeProto::int("keepdims", 1),
        ];
        self.node(op, &[&input.name], shape, attributes)
    }

    /// A function of each element.
    pub(in crate::networks) fn unary(&mut self, op: &str, input: &Tensor, attributes: Vec<AttributeProto>) -> Tensor {
        self.node(op, &[&input.name], input.shape.clone(), attributes)
    }

    /// A function of two values, of which the first has the shape of the result.
    pub(in crate::networks) fn binary(&mut self, op: &str, a: &Tensor, b: &Tensor) -> Tensor {
        self.node(op, &[&a.name, &b.name], a.shape.clone(), Vec::new())
    }

    pub(in crate::networks) fn add(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        self.binary("Add", a, b)
    }

    /// A function of a value and a number.
    pub(in crate::networks) fn with_number(&mut self, op: &str, input: &Tensor, number: f32) -> Tensor {
        let number = self.scalar(number);
        self.node(op, &[&input.name, &number], input.shape.clone(), Vec::new())
    }

    /// A function of a value and weights that are broadcast to it.
    pub(in crate::networks) fn with_weights(&mut self, op: &str, input: &Tensor, dims: &[u32], fill: Fill) -> Tensor {
        let weights = self.weights(dims, fill);
        self.node(op, &[&input.name, &weights], input.shape.clone(), Vec::new())
    }

    /// A product of each row with weights, by `Gemm` where there are two dimensions.
    pub(in crate::networks) fn linear(&mut self, input: &Tensor, features: u32, bias: bool) -> Tensor {
        let inner = input.features();
        let fill = Fill::Product { fan_in: inner };
        let mut shape = input.shape.clone();
        let last = shape.len() - 1;
        shape[last] = features;
        if last == 1 {
            let weights = self.weights(&[features, inner], fill);
            let bias = self.weights(&[features], Fill::Small);
            let attributes = vec![AttributeProto::int("transB", 1)];
            return self.node("Gemm", &[&input.name, &weights, &bias], shape, attributes);
        }
        let weights = self.weights(&[inner, features], fill);
        let product = self.node("MatMul", &[&input.name, &weights], shape, Vec::new());
        if bias {
            let bias = self.weights(&[features], Fill::Small);
            self.node("Add", &[&bias, &product.name], product.shape.clone(), Vec::new())
        } else {
            product
        }
    }

    /// The product of two computed matrices, over the last two dimensions.
    pub(in crate::networks) fn product(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        let mut shape = a.shape.clone();
        let last = shape.len() - 1;
        shape[last] = b.features();
        self.node("MatMul", &[&a.name, &b.name], shape, Vec::new())
    }

    pub(in crate::networks) fn softmax(&mut self, input: &Tensor, axis: i64) -> Tensor {
        self.unary("Softmax", input, vec![AttributeProto::int("axis", axis)])
    }
}
