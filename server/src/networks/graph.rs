//! A graph under construction: operators are appended, and multiply-accumulates and parameters counted as they are.

use std::fmt::Arguments;

use prost::Message;

use super::onnx::*;
use super::weights::Weights;
use super::{Cost, Network};
use lglp_sdk::space::Activation;

/// A value between two operators: a feature map of `side x side`, or a vector (side 1).
#[derive(Clone)]
pub struct Value {
    /// Empty in a graph that is only counted.
    name: String,
    pub channels: u32,
    pub side: u32,
}

/// A convolution, its padding being `kernel / 2`.
#[derive(Clone, Copy)]
pub struct Conv {
    pub kernel: u32,
    pub stride: u32,
    pub channels: u32,
    /// One filter per channel.
    pub depthwise: bool,
}

/// Appends operators. Without weights it only counts, which is what a prediction needs.
pub struct Graph {
    batch: u32,
    resolution: u32,
    cost: Cost,
    /// Numbers in the largest input and output of one operator, batch 1.
    widest: u64,
    written: Option<Written>,
}

struct Written {
    weights: Weights,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

impl Graph {
    /// A graph that is written with weights of `seed`.
    pub fn written(batch: u32, resolution: u32, seed: u64) -> Self {
        let written = Written {
            weights: Weights::new(seed),
            nodes: Vec::new(),
            initializers: Vec::new(),
        };
        Self {
            written: Some(written),
            ..Self::counted(batch, resolution)
        }
    }

    /// A graph that is only counted.
    pub fn counted(batch: u32, resolution: u32) -> Self {
        Self {
            batch,
            resolution,
            cost: Cost::default(),
            widest: 0,
            written: None,
        }
    }

    /// The image.
    pub fn input(&self) -> Value {
        Value {
            name: INPUT.into(),
            channels: 3,
            side: self.resolution,
        }
    }

    /// Convolution with bias; batch normalisation is folded into both.
    pub fn conv(&mut self, name: Arguments<'_>, input: &Value, conv: Conv) -> Value {
        let (group, per_filter) = if conv.depthwise {
            (input.channels, 1)
        } else {
            (1, input.channels)
        };
        let side = (input.side + 2 * (conv.kernel / 2) - conv.kernel) / conv.stride + 1;
        let dims = [conv.channels, per_filter, conv.kernel, conv.kernel];
        self.count(&dims, u64::from(side) * u64::from(side));
        let both = |value: u32| vec![i64::from(value); 2];
        let attributes = || {
            vec![
                AttributeProto::int("group", i64::from(group)),
                AttributeProto::ints("kernel_shape", both(conv.kernel)),
                AttributeProto::ints("pads", vec![i64::from(conv.kernel / 2); 4]),
                AttributeProto::ints("strides", both(conv.stride)),
            ]
        };
        self.node(name, "Conv", &[input], &dims, attributes, (conv.channels, side))
    }

    /// A non-linearity.
    pub fn activation(&mut self, name: Arguments<'_>, input: &Value, activation: Activation) -> Value {
        let op = match activation {
            Activation::Relu => "Relu",
            Activation::HardSwish => "HardSwish",
        };
        self.node(name, op, &[input], &[], Vec::new, (input.channels, input.side))
    }

    /// `max(0, min(1, x / 6 + 1 / 2))`, the gate of squeeze-and-excitation.
    pub fn hard_sigmoid(&mut self, name: Arguments<'_>, input: &Value) -> Value {
        let attributes = || {
            vec![
                AttributeProto::float("alpha", 1.0 / 6.0),
                AttributeProto::float("beta", 0.5),
            ]
        };
        let shape = (input.channels, input.side);
        self.node(name, "HardSigmoid", &[input], &[], attributes, shape)
    }

    /// Mean over height and width.
    pub fn global_average_pool(&mut self, name: Arguments<'_>, input: &Value) -> Value {
        self.node(name, "GlobalAveragePool", &[input], &[], Vec::new, (input.channels, 1))
    }

    /// Product, the second value being broadcast over height and width.
    pub fn scale(&mut self, name: Arguments<'_>, input: &Value, gate: &Value) -> Value {
        let shape = (input.channels, input.side);
        self.node(name, "Mul", &[input, gate], &[], Vec::new, shape)
    }

    /// Sum of two values of one shape.
    pub fn add(&mut self, name: Arguments<'_>, a: &Value, b: &Value) -> Value {
        self.node(name, "Add", &[a, b], &[], Vec::new, (a.channels, a.side))
    }

    /// Numbers that the operator with the most of them reads and writes at batch 1.
    pub fn widest(&self) -> u64 {
        self.widest
    }

    /// Ends the graph with a fully connected layer.
    pub fn classify(mut self, input: &Value, classes: u32) -> Network {
        let flat = format_args!("flatten");
        let flat = self.node(flat, "Flatten", &[input], &[], Vec::new, (input.channels, 1));
        let dims = [classes, input.channels];
        self.count(&dims, 1);
        let attributes = || vec![AttributeProto::int("transB", 1)];
        let name = format_args!("classifier");
        self.node(name, "Gemm", &[&flat], &dims, attributes, (classes, 1));
        Network {
            cost: self.cost,
            onnx: self.encode(classes),
        }
    }

    /// Counts an operator with weights of `dims`, one filter per first index, applied at so many positions.
    fn count(&mut self, dims: &[u32], positions: u64) {
        let weights: u64 = dims.iter().map(|d| u64::from(*d)).product();
        self.cost.parameters += weights + u64::from(dims[0]);
        self.cost.macs += u64::from(self.batch) * weights * positions;
    }

    /// Appends an operator and gives its output of `(channels, side)`; with `weights` dimensions, it has weights and biases.
    fn node(
        &mut self,
        name: Arguments<'_>,
        op: &str,
        inputs: &[&Value],
        weights: &[u32],
        attributes: impl FnOnce() -> Vec<AttributeProto>,
        (channels, side): (u32, u32),
    ) -> Value {
        let numbers = |channels: u32, side: u32| u64::from(channels) * u64::from(side) * u64::from(side);
        let read: u64 = inputs.iter().map(|value| numbers(value.channels, value.side)).sum();
        self.widest = self.widest.max(read + numbers(channels, side));
        let mut output = String::new();
        if let Some(w) = &mut self.written {
            output = if op == "Gemm" {
                OUTPUT.into()
            } else {
                format!("{name}.out")
            };
            let mut input: Vec<String> = inputs.iter().map(|value| value.name.clone()).collect();
            if let [filters, per_filter @ ..] = weights {
                let names = [format!("{name}.weight"), format!("{name}.bias")];
                let fan_in = per_filter.iter().product::<u32>() as usize;
                let values = w.weights.uniform(*filters as usize * fan_in, fan_in);
                w.initializers.push(tensor(&names[0], weights, values));
                let biases = w.weights.biases(*filters as usize);
                w.initializers.push(tensor(&names[1], &[*filters], biases));
                input.extend(names);
            }
            w.nodes.push(NodeProto {
                input,
                output: vec![output.clone()],
                name: name.to_string(),
                op_type: op.into(),
                attribute: attributes(),
            });
        }
        Value {
            name: output,
            channels,
            side,
        }
    }

    fn encode(self, classes: u32) -> Vec<u8> {
        let Some(w) = self.written else { return Vec::new() };
        let graph = GraphProto {
            node: w.nodes,
            name: "network".into(),
            initializer: w.initializers,
            input: vec![ValueInfoProto::tensor(
                INPUT,
                &[self.batch, 3, self.resolution, self.resolution],
            )],
            output: vec![ValueInfoProto::tensor(OUTPUT, &[self.batch, classes])],
        };
        let opset = OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        };
        ModelProto {
            ir_version: 9,
            producer_name: "lglp".into(),
            graph: Some(graph),
            opset_import: vec![opset],
        }
        .encode_to_vec()
    }
}

fn tensor(name: &str, dims: &[u32], raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        dims: dims.iter().map(|d| i64::from(*d)).collect(),
        data_type: FLOAT,
        name: name.into(),
        raw_data,
    }
}
