//! A model under construction: nodes are appended, and the shapes of their values are known. Weights are written last, since most models
//! are only counted.

mod activations;
mod layers;
mod layout;
mod norms;

pub(super) use activations::Activation;
pub(super) use layers::{Conv, Statistic};
pub(super) use layout::Interpolation;

use lglp_onnx::OnnxError;
use lglp_onnx::messages::*;
use prost::Message;

use super::weights::Weights;

/// A value of a model.
#[derive(Clone)]
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<u32>,
}

impl Tensor {
    /// Inputs at once: the first side of each value.
    pub(super) fn batch(&self) -> u32 {
        self.shape[0]
    }

    /// Of a feature map `[batch, channels, height, width]`.
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

/// A model under construction, and the chance that decides what comes next, where one does.
pub(super) struct Builder<D = ()> {
    pub dice: D,
    nodes: Vec<NodeProto>,
    inputs: Vec<ValueInfoProto>,
    /// Those that are filled at the end, and constants that are complete.
    initializers: Vec<(TensorProto, Option<Fill>)>,
    /// Whether constants are nodes, as they are where an exporter has not folded them.
    constants_are_nodes: bool,
    /// How many elements all nodes compute.
    elements: u64,
}

impl<D> Builder<D> {
    /// `constants_are_nodes`: as they are where an exporter has not folded them.
    pub(super) fn new(dice: D, constants_are_nodes: bool) -> Self {
        Self {
            constants_are_nodes,
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

    /// How many elements all nodes compute.
    pub(super) fn elements(&self) -> u64 {
        self.elements
    }

    /// How many bytes the weights and constants take.
    pub(super) fn weight_bytes(&self) -> u64 {
        let sides = |tensor: &TensorProto| tensor.dims.iter().map(|side| *side as u64).fold(1, u64::saturating_mul);
        let bytes = self
            .initializers
            .iter()
            .map(|(tensor, _)| sides(tensor).saturating_mul(4));
        bytes.fold(0, u64::saturating_add)
    }

    /// How many nodes there are.
    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
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
        for shape in &shapes {
            let sides = shape.iter().map(|side| u64::from(*side));
            self.elements = self.elements.saturating_add(sides.fold(1, u64::saturating_mul));
        }
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
    pub(super) fn finish(self, output: &Tensor) -> Draft<D> {
        Draft {
            output: ValueInfoProto::tensor(&output.name, &output.shape),
            built: self,
        }
    }
}

/// A model whose weights have no values yet.
pub(super) struct Draft<D = ()> {
    built: Builder<D>,
    output: ValueInfoProto,
}

impl<D> Draft<D> {
    /// What a runtime executes of it, whatever its weights are.
    pub(super) fn read(&self) -> Result<lglp_onnx::Network, OnnxError> {
        let built = &self.built;
        let initializers = built.initializers.iter().map(|(tensor, _)| tensor.clone()).collect();
        lglp_onnx::read_graph(graph(
            built.nodes.clone(),
            initializers,
            built.inputs.clone(),
            self.output.clone(),
        ))
    }

    /// How many elements its nodes compute.
    pub(super) fn elements(&self) -> u64 {
        self.built.elements()
    }

    /// How many bytes its weights take.
    pub(super) fn weight_bytes(&self) -> u64 {
        self.built.weight_bytes()
    }

    /// Weights that are filled in, which is what is trained.
    pub(super) fn parameters(&self) -> u64 {
        let filled = self.built.initializers.iter().filter(|(_, fill)| fill.is_some());
        filled
            .map(|(tensor, _)| tensor.dims.iter().product::<i64>() as u64)
            .sum()
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
        encode(graph(built.nodes, initializers, built.inputs, self.output))
    }

    /// The decisions that were not taken yet.
    pub(super) fn into_dice(self) -> D {
        self.built.dice
    }
}

fn graph(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    input: Vec<ValueInfoProto>,
    output: ValueInfoProto,
) -> GraphProto {
    GraphProto {
        node,
        name: "network".into(),
        initializer,
        input,
        output: vec![output],
        ..GraphProto::default()
    }
}

fn encode(graph: GraphProto) -> Vec<u8> {
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
