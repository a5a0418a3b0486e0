//! A model under construction: nodes are appended, and the shapes of their values are known. Weights are written last, since most of
//! what is drawn is thrown away for what it costs.

use lglp_onnx::messages::*;
use prost::Message;

use super::dice::Dice;
use crate::networks::weights::Weights;

/// A value of a model.
#[derive(Clone)]
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<u32>,
}

impl Tensor {
    /// Of a feature map `[1, channels, height, width]`.
    pub(super) fn channels(&self) -> u32 {
        self.shape[1]
    }

    /// Of a feature map: its height and width.
    pub(super) fn sides(&self) -> [u32; 2] {
        [self.shape[2], self.shape[3]]
    }

    /// Of a sequence: the last dimension.
    pub(super) fn features(&self) -> u32 {
        self.shape[self.shape.len() - 1]
    }
}

/// What weights are filled with.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    /// Those of products, by the numbers that each result is a sum of.
    Product { fan_in: u32 },
    /// Small numbers on both sides of 0.
    Small,
    /// Scales and variances: numbers about 1.
    AboutOne,
}

/// A model under construction, and the chance that decides what comes next.
pub(super) struct Builder {
    pub dice: Dice,
    nodes: Vec<NodeProto>,
    inputs: Vec<ValueInfoProto>,
    /// Those that are filled at the end, and constants that are complete.
    initializers: Vec<(TensorProto, Option<Fill>)>,
    /// Whether constants are nodes, as they are where an exporter has not folded them.
    constants_are_nodes: bool,
    /// How many elements all nodes compute.
    elements: u64,
}

impl Builder {
    pub(super) fn new(mut dice: Dice) -> Self {
        Self {
            constants_are_nodes: dice.chance(50),
            dice,
            nodes: Vec::new(),
            inputs: Vec::new(),
            elements: 0,
            initializers: Vec::new(),
        }
    }

    /// The input of the model.
    pub(super) fn input(&mut self, shape: &[u32]) -> Tensor {
        self.inputs.push(ValueInfoProto::tensor("input", shape));
        Tensor {
            name: "input".into(),
            shape: shape.to_vec(),
        }
    }

    /// Appends a node that computes one value of `shape`.
    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        shape: Vec<u32>,
        attributes: Vec<AttributeProto>,
    ) -> Tensor {
        let mut outputs = self.nodes(op, inputs, vec![shape], attributes);
        outputs.remove(0)
    }

    /// Appends a node that computes a value of each of these shapes.
    pub(super) fn nodes(
        &mut self,
        op: &str,
        inputs: &[&str],
        shapes: Vec<Vec<u32>>,
        attributes: Vec<AttributeProto>,
    ) -> Vec<Tensor> {
        let name = format!("{op}_{}", self.nodes.len());
        let elements = |shape: &Vec<u32>| shape.iter().map(|side| u64::from(*side)).product::<u64>();
        self.elements += shapes.iter().map(elements).sum::<u64>();
        let outputs: Vec<Tensor> = (0..)
            .zip(shapes)
            .map(|(at, shape)| Tensor {
                name: format!("{name}_output_{at}"),
                shape,
            })
            .collect();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        self.nodes.push(NodeProto::new(op, &name, inputs, &names, attributes));
        outputs
    }

    /// Weights of these dimensions, to be filled at the end; their name.
    pub(super) fn weights(&mut self, dims: &[u32], fill: Fill) -> String {
        let name = format!("weights_{}", self.initializers.len());
        let tensor = TensorProto {
            dims: dims.iter().map(|side| i64::from(*side)).collect(),
            data_type: FLOAT,
            name: name.clone(),
            // Values are elsewhere until they are filled in.
            data_location: 1,
            ..TensorProto::default()
        };
        self.initializers.push((tensor, Some(fill)));
        name
    }

    /// A constant without dimensions; its name.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        self.constant(FLOAT, Vec::new(), value.to_le_bytes().to_vec())
    }

    /// Floats as a constant of one dimension; its name.
    pub(super) fn floats(&mut self, values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(FLOAT, vec![values.len() as i64], bytes)
    }

    /// Whole numbers as a constant of one dimension; its name.
    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(INT64, vec![values.len() as i64], bytes)
    }

    /// A whole number without dimensions; its name.
    pub(super) fn int(&mut self, value: i64) -> String {
        self.constant(INT64, Vec::new(), value.to_le_bytes().to_vec())
    }

    fn constant(&mut self, data_type: i32, dims: Vec<i64>, bytes: Vec<u8>) -> String {
        let mut tensor = TensorProto {
            dims,
            data_type,
            raw_data: bytes.into(),
            ..TensorProto::default()
        };
        if self.constants_are_nodes {
            let value = vec![AttributeProto::tensor("value", tensor)];
            // Its shape is not asked for: what reads a constant knows what it has written there.
            return self.node("Constant", &[], Vec::new(), value).name;
        }
        tensor.name = format!("constant_{}", self.initializers.len());
        let name = tensor.name.clone();
        self.initializers.push((tensor, None));
        name
    }

    /// The model that has computed `output`.
    pub(super) fn finish(self, output: &Tensor) -> Draft {
        Draft {
            output: ValueInfoProto::tensor(&output.name, &output.shape),
            built: self,
        }
    }
}

/// A model whose weights have no values yet.
pub(super) struct Draft {
    built: Builder,
    output: ValueInfoProto,
}

impl Draft {
    /// The model without values of weights, from which its costs are read.
    pub(super) fn without_weights(&self) -> Vec<u8> {
        let built = &self.built;
        let initializers = built.initializers.iter().map(|(tensor, _)| tensor.clone()).collect();
        encode(
            built.nodes.clone(),
            initializers,
            built.inputs.clone(),
            self.output.clone(),
        )
    }

    /// How many elements its nodes compute.
    pub(super) fn elements(&self) -> u64 {
        self.built.elements
    }

    /// How many bytes its weights take.
    pub(super) fn weight_bytes(&self) -> u64 {
        let bytes = |tensor: &TensorProto| 4 * tensor.dims.iter().product::<i64>() as u64;
        self.built.initializers.iter().map(|(tensor, _)| bytes(tensor)).sum()
    }

    /// The whole model.
    pub(super) fn with_weights(self, mut weights: Weights) -> Vec<u8> {
        let built = self.built;
        let mut initializers = Vec::with_capacity(built.initializers.len());
        for (mut tensor, fill) in built.initializers {
            let count = tensor.dims.iter().product::<i64>() as usize;
            if let Some(fill) = fill {
                tensor.raw_data = match fill {
                    Fill::Product { fan_in } => weights.uniform(count, fan_in as usize),
                    Fill::Small => weights.biases(count),
                    Fill::AboutOne => weights.about_one(count),
                }
                .into();
                tensor.data_location = 0;
            }
            initializers.push(tensor);
        }
        encode(built.nodes, initializers, built.inputs, self.output)
    }

    /// The decisions that were not taken yet.
    pub(super) fn into_dice(self) -> Dice {
        self.built.dice
    }
}

fn encode(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    input: Vec<ValueInfoProto>,
    output: ValueInfoProto,
) -> Vec<u8> {
    let graph = GraphProto {
        node,
        name: "network".into(),
        initializer,
        input,
        output: vec![output],
        ..GraphProto::default()
    };
    let opset = OperatorSetIdProto {
        domain: String::new(),
        version: 17,
    };
    let model = ModelProto {
        ir_version: 9,
        producer_name: "lglp".into(),
        graph: Some(graph),
        opset_import: vec![opset],
    };
    model.encode_to_vec()
}
