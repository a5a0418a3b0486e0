//! A graph under construction: operators are appended, and multiply-accumulates and parameters counted as they are.

use prost::Message;

use super::onnx::*;
use super::weights::Weights;
use super::{Cost, Network};
use lglp_sdk::space::Activation;

/// A value between two operators: a feature map of `side x side`, or a vector (side 1).
#[derive(Clone)]
pub struct Value {
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
    pub fn conv(&mut self, name: &str, input: &Value, conv: Conv) -> Value {
        let (group, per_filter) = if conv.depthwise {
            (input.channels, 1)
        } else {
            (1, input.channels)
        };
        let side = (input.side + 2 * (conv.kernel / 2) - conv.kernel) / conv.stride + 1;
        let fan_in = per_filter * conv.kernel * conv.kernel;
        let weights = u64::from(conv.channels) * u64::from(fan_in);
        self.cost.parameters += weights + u64::from(conv.channels);
        self.cost.macs += u64::from(self.batch) * weights * u64::from(side) * u64::from(side);
        let dims = [conv.channels, per_filter, conv.kernel, conv.kernel];
        let inputs = self.weighted(name, input, &dims, fan_in);
        let both = |value: u32| vec![i64::from(value); 2];
        let attributes = vec![
            AttributeProto::int("group", i64::from(group)),
            AttributeProto::ints("kernel_shape", both(conv.kernel)),
            AttributeProto::ints("pads", vec![i64::from(conv.kernel / 2); 4]),
            AttributeProto::ints("strides", both(conv.stride)),
        ];
        self.node(name, "Conv", inputs, attributes, conv.channels, side)
    }

    /// A non-linearity.
    pub fn activation(&mut self, name: &str, input: &Value, activation: Activation) -> Value {
        let op = match activation {
            Activation::Relu => "Relu",
            Activation::HardSwish => "HardSwish",
        };
        self.node(
            name,
            op,
            vec![input.name.clone()],
            Vec::new(),
            input.channels,
            input.side,
        )
    }

    /// `max(0, min(1, x / 6 + 1 / 2))`, the gate of squeeze-and-excitation.
    pub fn hard_sigmoid(&mut self, name: &str, input: &Value) -> Value {
        let attributes = vec![
            AttributeProto::float("alpha", 1.0 / 6.0),
            AttributeProto::float("beta", 0.5),
        ];
        self.node(
            name,
            "HardSigmoid",
            vec![input.name.clone()],
            attributes,
            input.channels,
            input.side,
        )
    }

    /// Mean over height and width.
    pub fn global_average_pool(&mut self, name: &str, input: &Value) -> Value {
        self.node(
            name,
            "GlobalAveragePool",
            vec![input.name.clone()],
            Vec::new(),
            input.channels,
            1,
        )
    }

    /// Product, the second value being broadcast over height and width.
    pub fn scale(&mut self, name: &str, input: &Value, gate: &Value) -> Value {
        let inputs = vec![input.name.clone(), gate.name.clone()];
        self.node(name, "Mul", inputs, Vec::new(), input.channels, input.side)
    }

    /// Sum of two values of one shape.
    pub fn add(&mut self, name: &str, a: &Value, b: &Value) -> Value {
        let inputs = vec![a.name.clone(), b.name.clone()];
        self.node(name, "Add", inputs, Vec::new(), a.channels, a.side)
    }

    /// Ends the graph with a fully connected layer.
    pub fn classify(mut self, input: &Value, classes: u32) -> Network {
        let flat = self.node(
            "flatten",
            "Flatten",
            vec![input.name.clone()],
            Vec::new(),
            input.channels,
            1,
        );
        let weights = u64::from(input.channels) * u64::from(classes);
        self.cost.parameters += weights + u64::from(classes);
        self.cost.macs += u64::from(self.batch) * weights;
        let inputs = self.weighted("classifier", &flat, &[classes, input.channels], input.channels);
        let attributes = vec![AttributeProto::int("transB", 1)];
        self.node("classifier", "Gemm", inputs, attributes, classes, 1);
        Network {
            cost: self.cost,
            onnx: self.encode(classes),
        }
    }

    /// Names of an operator's inputs, its weights and biases among them.
    fn weighted(&mut self, name: &str, input: &Value, dims: &[u32], fan_in: u32) -> Vec<String> {
        let names = [format!("{name}.weight"), format!("{name}.bias")];
        if let Some(w) = &mut self.written {
            let count = dims.iter().map(|d| *d as usize).product();
            let values = w.weights.uniform(count, fan_in as usize);
            let biases = w.weights.biases(dims[0] as usize);
            w.initializers.push(tensor(&names[0], dims, values));
            w.initializers.push(tensor(&names[1], &dims[..1], biases));
        }
        let [weight, bias] = names;
        vec![input.name.clone(), weight, bias]
    }

    fn node(
        &mut self,
        name: &str,
        op: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
        channels: u32,
        side: u32,
    ) -> Value {
        let output = if op == "Gemm" {
            OUTPUT.into()
        } else {
            format!("{name}.out")
        };
        if let Some(w) = &mut self.written {
            w.nodes.push(NodeProto {
                input,
                output: vec![output.clone()],
                name: name.into(),
                op_type: op.into(),
                attribute,
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
