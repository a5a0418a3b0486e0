//! A graph under construction: nodes are appended, and counted as they are, as parts of the operators that a runtime executes.

use std::fmt::Arguments;

use lglp_sdk::plugin::abi::{ACTIVATION_CLIP, ACTIVATION_HARD_SWISH, ACTIVATION_RELU, Operator};
use lglp_sdk::space::Activation;
use prost::Message;

use crate::networks::weights::Weights;
use crate::networks::{Cost, Network};
use lglp_onnx::messages::*;

/// A value between two operators: a feature map of `side x side`, or a vector (side 1).
#[derive(Clone)]
pub(super) struct Value {
    /// Empty in a graph that is only counted.
    name: String,
    pub channels: u32,
    pub side: u32,
}

/// A convolution, its padding being `kernel / 2`.
#[derive(Clone, Copy)]
pub(super) struct Conv {
    pub kernel: u32,
    pub stride: u32,
    pub channels: u32,
    /// One filter per channel.
    pub depthwise: bool,
}

/// Appends operators. Without weights it only counts, which is what a prediction needs.
pub(super) struct Graph {
    batch: u32,
    resolution: u32,
    operators: Vec<Operator>,
    /// Block and layer that the next operators belong to, from 1; 0 outside of the searched ones.
    place: (u32, u32),
    written: Option<Written>,
}

struct Written {
    weights: Weights,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

/// Of an image: red, green, blue.
pub(super) const IMAGE_CHANNELS: u32 = 3;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

/// Of a value: float32.
const BYTES: u64 = 4;

impl Graph {
    /// A graph that is written with weights of `seed`.
    pub(super) fn written(batch: u32, resolution: u32, seed: u64) -> Self {
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
    pub(super) fn counted(batch: u32, resolution: u32) -> Self {
        Self {
            batch,
            resolution,
            operators: Vec::with_capacity(128),
            place: (0, 0),
            written: None,
        }
    }

    /// The image.
    pub(super) fn input(&self) -> Value {
        Value {
            name: INPUT.into(),
            channels: IMAGE_CHANNELS,
            side: self.resolution,
        }
    }

    /// A value in a graph that is only counted.
    pub(super) fn value(channels: u32, side: u32) -> Value {
        Value {
            name: String::new(),
            channels,
            side,
        }
    }

    /// What comes next belongs to this layer of this block, both from 1; to 0 where it is outside of the searched ones.
    pub(super) fn enter(&mut self, block: u32, layer: u32) {
        self.place = (block, layer);
    }

    /// Begins an operator of a kind (`OPERATOR_*`): the nodes to come are what a runtime does in one go, or nearly so.
    pub(super) fn begin(&mut self, kind: u32, input: &Value) {
        let (block, layer) = self.place;
        self.operators.push(Operator {
            kind,
            channels_in: input.channels,
            side_in: input.side,
            block,
            layer,
            ..Operator::default()
        });
    }

    /// Convolution with bias; batch normalisation is folded into both.
    pub(super) fn conv(&mut self, name: Arguments<'_>, input: &Value, conv: Conv) -> Value {
        let (group, per_filter) = if conv.depthwise {
            (input.channels, 1)
        } else {
            (1, input.channels)
        };
        let side = (input.side + 2 * (conv.kernel / 2) - conv.kernel) / conv.stride + 1;
        let dims = [conv.channels, per_filter, conv.kernel, conv.kernel];
        self.count(&dims, u64::from(side) * u64::from(side));
        let operator = self.operator();
        if operator.kernel == 0 {
            (operator.kernel, operator.stride, operator.groups) = (conv.kernel, conv.stride, group);
        }
        self.launch(&[input], (conv.channels, side));
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
    pub(super) fn activation(&mut self, name: Arguments<'_>, input: &Value, activation: Activation) -> Value {
        let (op, code) = match activation {
            Activation::Relu => ("Relu", ACTIVATION_RELU),
            Activation::Relu6 => ("Clip", ACTIVATION_CLIP),
            Activation::HardSwish => ("HardSwish", ACTIVATION_HARD_SWISH),
        };
        let operator = self.operator();
        if operator.activation == 0 {
            // Fused into what it follows: no launch of its own.
            operator.activation = code;
        }
        let shape = (input.channels, input.side);
        match activation {
            Activation::Relu6 => {
                let [least, most] = self.relu6_bounds();
                self.node(name, op, &[input, &least, &most], &[], Vec::new, shape)
            }
            _ => self.node(name, op, &[input], &[], Vec::new, shape),
        }
    }

    /// What ReLU6 keeps values between: constants of the network, written once.
    fn relu6_bounds(&mut self) -> [Value; 2] {
        let bounds = [("relu6.least", 0f32), ("relu6.most", 6.0)];
        let Some(w) = &mut self.written else {
            return bounds.map(|_| Self::value(1, 1));
        };
        if w.initializers.iter().all(|known| known.name != bounds[0].0) {
            let written = bounds.map(|(name, bound)| tensor(name, &[], bound.to_le_bytes().to_vec()));
            w.initializers.extend(written);
        }
        bounds.map(|(name, _)| Value {
            name: name.into(),
            ..Self::value(1, 1)
        })
    }

    /// `max(0, min(1, x / 6 + 1 / 2))`, the gate of squeeze-and-excitation.
    pub(super) fn hard_sigmoid(&mut self, name: Arguments<'_>, input: &Value) -> Value {
        let attributes = || {
            vec![
                AttributeProto::float("alpha", 1.0 / 6.0),
                AttributeProto::float("beta", 0.5),
            ]
        };
        let shape = (input.channels, input.side);
        self.launch(&[input], shape);
        self.node(name, "HardSigmoid", &[input], &[], attributes, shape)
    }

    /// Mean over height and width.
    pub(super) fn global_average_pool(&mut self, name: Arguments<'_>, input: &Value) -> Value {
        self.launch(&[input], (input.channels, 1));
        self.node(name, "GlobalAveragePool", &[input], &[], Vec::new, (input.channels, 1))
    }

    /// Product, the second value being broadcast over height and width.
    pub(super) fn scale(&mut self, name: Arguments<'_>, input: &Value, gate: &Value) -> Value {
        let shape = (input.channels, input.side);
        self.launch(&[input, gate], shape);
        self.node(name, "Mul", &[input, gate], &[], Vec::new, shape)
    }

    /// Sum of two values of one shape.
    pub(super) fn add(&mut self, name: Arguments<'_>, a: &Value, b: &Value) -> Value {
        self.launch(&[a, b], (a.channels, a.side));
        self.node(name, "Add", &[a, b], &[], Vec::new, (a.channels, a.side))
    }

    /// A fully connected layer, the last one: its output is the network's.
    pub(super) fn classify(&mut self, input: &Value, classes: u32) -> Value {
        let flat = format_args!("flatten");
        let flat = self.node(flat, "Flatten", &[input], &[], Vec::new, (input.channels, 1));
        let dims = [classes, input.channels];
        self.count(&dims, 1);
        self.launch(&[input], (classes, 1));
        let attributes = || vec![AttributeProto::int("transB", 1)];
        let name = format_args!("classifier");
        self.node(name, "Gemm", &[&flat], &dims, attributes, (classes, 1))
    }

    /// The operators that were appended.
    pub(super) fn operators(self) -> Vec<Operator> {
        self.operators
    }

    /// The network, which tells so many classes.
    pub(super) fn finish(mut self, classes: u32) -> Network {
        Network {
            cost: Cost::of(&self.operators, self.batch),
            operators: std::mem::take(&mut self.operators),
            onnx: self.encode(classes),
        }
    }

    /// Counts an operator with weights of `dims`, one filter per first index, applied at so many positions.
    fn count(&mut self, dims: &[u32], positions: u64) {
        let weights: u64 = dims.iter().map(|d| u64::from(*d)).product();
        let operator = self.operator();
        operator.weight_bytes += BYTES * (weights + u64::from(dims[0]));
        operator.macs += weights * positions;
    }

    /// Counts a launch that reads and writes values of these shapes.
    fn launch(&mut self, inputs: &[&Value], (channels, side): (u32, u32)) {
        let values = |channels: u32, side: u32| u64::from(channels) * u64::from(side) * u64::from(side);
        let read: u64 = inputs.iter().map(|input| values(input.channels, input.side)).sum();
        let operator = self.operator();
        operator.launches += 1;
        operator.activation_bytes += BYTES * (read + values(channels, side));
        (operator.channels_out, operator.side_out) = (channels, side);
    }

    /// The operator that was begun last.
    fn operator(&mut self) -> &mut Operator {
        self.operators.last_mut().expect("a node is part of an operator")
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
            let input: Vec<&str> = input.iter().map(String::as_str).collect();
            let name = name.to_string();
            w.nodes
                .push(NodeProto::new(op, &name, &input, &[&output], attributes()));
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
                &[self.batch, IMAGE_CHANNELS, self.resolution, self.resolution],
            )],
            output: vec![ValueInfoProto::tensor(OUTPUT, &[self.batch, classes])],
            ..GraphProto::default()
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
        raw_data: raw_data.into(),
        ..TensorProto::default()
    }
}
