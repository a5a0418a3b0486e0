//! From a graph to ONNX: node by node, in the order in which they need each other.

use std::collections::BTreeMap;

use lglp_onnx::messages::{
    AttributeProto, FLOAT, GraphProto, INT64, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto,
};
use serde_json::Value;

use super::Role;
use super::node::{Node, axis};

/// The graph as an ONNX model without weights, whose operators are what the table says.
///
/// # Errors
/// The first node that is not understood, in words.
pub(super) fn model(graph: &Value, operators: &BTreeMap<String, Role>) -> Result<ModelProto, String> {
    let graph = graph.as_object().ok_or("its graph is no object of nodes")?;
    let nodes = graph.iter().map(|(name, told)| {
        let node = Node::of(name, told)?;
        let role = operators.get(node.kind).copied();
        let unknown = || {
            format!(
                "`{}` (node `{name}`) is no operator of the table of columns; add it there",
                node.kind
            )
        };
        Ok((name.as_str(), (role.ok_or_else(unknown)?, node)))
    });
    let nodes = nodes.collect::<Result<BTreeMap<_, _>, String>>()?;
    let mut conversion = Conversion {
        nodes: &nodes,
        graph: GraphProto::default(),
        taken: BTreeMap::new(),
    };
    let order = in_order(&nodes);
    if order.len() < nodes.len() {
        return Err("some of its nodes need each other in a circle".into());
    }
    for name in order {
        conversion.add(name)?;
    }
    let read: Vec<&str> = nodes
        .values()
        .flat_map(|(_, node)| node.inputs.iter().copied())
        .collect();
    let last = conversion.graph.node.iter().rev().flat_map(|node| node.output.first());
    let is_read = |name: &str| read.contains(&name.split(':').next().unwrap_or(name));
    let last = last.filter(|name| !is_read(name)).cloned();
    let outputs: Vec<ValueInfoProto> = last.map(|name| ValueInfoProto::tensor(&name, &[])).collect();
    conversion.graph.output = outputs;
    Ok(ModelProto {
        ir_version: 9,
        producer_name: "lglp".into(),
        graph: Some(conversion.graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
    })
}

type Nodes<'a> = BTreeMap<&'a str, (Role, Node<'a>)>;

/// Names of nodes, each behind those that it reads; those in a circle are left out.
fn in_order<'a>(nodes: &Nodes<'a>) -> Vec<&'a str> {
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut readers: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (name, (_, node)) in nodes {
        let inputs = node.inputs.iter().filter(|input| nodes.contains_key(**input));
        for input in inputs {
            *waits.entry(name).or_default() += 1;
            readers.entry(input).or_default().push(name);
        }
    }
    let mut ready: Vec<&'a str> = nodes
        .keys()
        .rev()
        .filter(|name| !waits.contains_key(**name))
        .copied()
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(name) = ready.pop() {
        order.push(name);
        for reader in readers.get(name).into_iter().flatten() {
            if let Some(left) = waits.get_mut(reader) {
                *left -= 1;
                if *left == 0 {
                    ready.push(reader);
                }
            }
        }
    }
    order
}

struct Conversion<'n, 'a> {
    nodes: &'n Nodes<'a>,
    graph: GraphProto,
    /// How many parts of a split are read already.
    taken: BTreeMap<&'a str, usize>,
}

impl<'a> Conversion<'_, 'a> {
    fn add(&mut self, name: &'a str) -> Result<(), String> {
        let (role, node) = &self.nodes[name];
        let one = |conversion: &mut Self| {
            conversion
                .computed(node)?
                .into_iter()
                .next()
                .ok_or_else(|| node.lacks("inbounds"))
        };
        match role {
            Role::Constant | Role::OfShapes => {}
            Role::Input => {
                let sides: Option<Vec<u32>> = node.shape()?.iter().map(|side| u32::try_from(*side).ok()).collect();
                let sides = sides.ok_or_else(|| node.lacks("output_shape"))?;
                self.graph.input.push(ValueInfoProto::tensor(name, &sides));
            }
            Role::Same => {
                // What it is of may be a weight, which is nothing here.
                if let Some(input) = self.computed(node)?.first() {
                    self.push("Identity", &[input.as_str()], node, Vec::new());
                }
            }
            Role::Convolution | Role::Depthwise => {
                let input = one(self)?;
                self.convolution(*role, node, &input)?;
            }
            Role::FullyConnected => self.product(node)?,
            Role::Bias => {
                let input = one(self)?;
                let (channels, rank) = channels(node)?;
                let bias = self.weight(node, "bias", along_channels(channels, rank));
                self.push("Add", &[&input, &bias], node, Vec::new());
            }
            Role::BatchNormalization => {
                let input = one(self)?;
                let (channels, _) = channels(node)?;
                let inputs = ["scale", "shift", "mean", "variance"].map(|what| self.weight(node, what, vec![channels]));
                let inputs: Vec<&str> = std::iter::once(input.as_str())
                    .chain(inputs.iter().map(String::as_str))
                    .collect();
                self.push("BatchNormalization", &inputs, node, Vec::new());
            }
            Role::Relu => self.unary("Relu", node)?,
            Role::Sigmoid => self.unary("Sigmoid", node)?,
            Role::Tanh => self.unary("Tanh", node)?,
            Role::Relu6 => {
                let input = one(self)?;
                let bounds = [("least", 0.0), ("most", 6.0)].map(|(what, value)| self.scalar(node, what, value));
                self.push("Clip", &[&input, &bounds[0], &bounds[1]], node, Vec::new());
            }
            Role::Softmax => {
                let input = one(self)?;
                self.push("Softmax", &[&input], node, vec![AttributeProto::int("axis", 1)]);
            }
            Role::Add => self.binary("Add", node)?,
            Role::Subtract => self.binary("Sub", node)?,
            Role::Multiply => self.binary("Mul", node)?,
            Role::MaxPool | Role::AveragePool => {
                let input = one(self)?;
                self.pool(*role, node, &input)?;
            }
            Role::Mean => {
                let input = one(self)?;
                if node.numbers("reduction_indices").is_ok_and(|axes| axes != [1, 2]) {
                    return Err(node.lacks("reduction_indices"));
                }
                let keeps = i64::from(node.shape()?.len() == 4);
                let about = vec![
                    AttributeProto::ints("axes", vec![2, 3]),
                    AttributeProto::int("keepdims", keeps),
                ];
                self.push("ReduceMean", &[&input], node, about);
            }
            Role::Reshape => {
                let input = one(self)?;
                let shape = self.list(node, "shape", node.shape()?.to_vec());
                self.push("Reshape", &[&input, &shape], node, Vec::new());
            }
            Role::Transpose => {
                let input = one(self)?;
                let order = node.numbers("perm").or_else(|_| self.constant_list(node))?;
                let mut moved = vec![0; order.len()];
                for (to, from) in order.iter().enumerate() {
                    let from = usize::try_from(*from).ok().filter(|from| *from < order.len());
                    let from = from.ok_or_else(|| node.lacks("perm"))?;
                    moved[axis(to, order.len())] = axis(from, order.len()) as i64;
                }
                self.push("Transpose", &[&input], node, vec![AttributeProto::ints("perm", moved)]);
            }
            Role::Concat => {
                let inputs = self.computed(node)?;
                let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
                self.along_channels(node, "axis")?;
                self.push("Concat", &inputs, node, vec![AttributeProto::int("axis", 1)]);
            }
            Role::Split => {
                let input = one(self)?;
                self.along_channels(node, "split_dim")?;
                let readers = self
                    .nodes
                    .values()
                    .filter(|(_, reader)| reader.inputs.contains(&name))
                    .count()
                    .max(1);
                let outputs: Vec<String> = (0..readers).map(|at| part(name, at)).collect();
                let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
                let about = vec![AttributeProto::int("axis", 1)];
                self.graph
                    .node
                    .push(NodeProto::new("Split", name, &[&input], &outputs, about));
            }
            Role::Pad => {
                let input = one(self)?;
                let (before, after) = (self.shape_of(node.inputs[0])?.to_vec(), node.shape()?);
                let more: Vec<i64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
                let first = more.iter().map(|more| more / 2);
                let pads: Vec<i64> = first.chain(more.iter().map(|more| more - more / 2)).collect();
                let pads = self.list(node, "pads", pads);
                self.push("Pad", &[&input, &pads], node, Vec::new());
            }
        }
        Ok(())
    }

    /// What a node reads that is computed from the network's input, by the names of the values.
    fn computed(&mut self, node: &Node<'a>) -> Result<Vec<String>, String> {
        let mut computed = Vec::new();
        for input in &node.inputs {
            match self.nodes.get(input).map(|(role, _)| role) {
                None | Some(Role::Constant | Role::OfShapes) => {}
                Some(Role::Split) => {
                    let taken = self.taken.entry(input).or_default();
                    computed.push(part(input, *taken));
                    *taken += 1;
                }
                Some(Role::Same) if !self.is_written(input) => {}
                Some(_) => computed.push((*input).to_owned()),
            }
        }
        Ok(computed)
    }

    fn is_written(&self, name: &str) -> bool {
        self.graph
            .node
            .iter()
            .any(|node| node.output.iter().any(|output| output == name))
    }

    fn shape_of(&self, name: &str) -> Result<&[i64], String> {
        let known = self
            .nodes
            .get(name)
            .ok_or_else(|| format!("there is no node `{name}`"))?;
        known.1.shape()
    }

    fn push(&mut self, op: &str, inputs: &[&str], node: &Node<'_>, about: Vec<AttributeProto>) {
        self.graph
            .node
            .push(NodeProto::new(op, node.name, inputs, &[node.name], about));
    }

    fn unary(&mut self, op: &str, node: &Node<'a>) -> Result<(), String> {
        let inputs = self.computed(node)?;
        let input = inputs.first().ok_or_else(|| node.lacks("inbounds"))?;
        self.push(op, &[input], node, Vec::new());
        Ok(())
    }

    /// Two values, of which one may be a constant.
    fn binary(&mut self, op: &str, node: &Node<'a>) -> Result<(), String> {
        let inputs = self.computed(node)?;
        match &inputs[..] {
            [a, b] => self.push(op, &[a, b], node, Vec::new()),
            [a] => {
                let constant = node.inputs.iter().filter_map(|input| self.nodes.get(input));
                let constant = constant
                    .map(|(_, node)| node)
                    .find(|other| other.number("constant").is_some());
                let rank = node.shape()?.len();
                let other = match constant
                    .and_then(|constant| Some((constant.number("constant")?, constant.output.as_ref()?)))
                {
                    Some((value, shape)) if shape.iter().product::<i64>() == 1 => {
                        self.scalar(node, "constant", value as f32)
                    }
                    // One for each channel, by what TensorFlow broadcasts.
                    _ => {
                        let (channels, _) = channels(node)?;
                        self.weight(node, "constant", along_channels(channels, rank))
                    }
                };
                self.push(op, &[a, &other], node, Vec::new());
            }
            _ => return Err(node.lacks("inbounds")),
        }
        Ok(())
    }

    fn convolution(&mut self, role: Role, node: &Node<'a>, input: &str) -> Result<(), String> {
        let [height, width, inner, outer] = node.numbers("weight_shape")?[..] else {
            return Err(node.lacks("weight_shape"));
        };
        // A depthwise one tells channels, and how many come out of each.
        let (weights, groups) = match role {
            Role::Depthwise => (vec![inner * outer, 1, height, width], inner),
            _ => (vec![outer, inner, height, width], 1),
        };
        let weights = self.weight(node, "weights", weights);
        let mut about = self.window(node, [height, width])?;
        about.push(AttributeProto::int("group", groups));
        about.push(AttributeProto::ints(
            "dilations",
            node.sides("dilations").unwrap_or([1, 1]).to_vec(),
        ));
        self.push("Conv", &[input, &weights], node, about);
        Ok(())
    }

    fn pool(&mut self, role: Role, node: &Node<'a>, input: &str) -> Result<(), String> {
        let about = self.window(node, node.sides("ksize")?)?;
        let op = if role == Role::MaxPool {
            "MaxPool"
        } else {
            "AveragePool"
        };
        self.push(op, &[input], node, about);
        Ok(())
    }

    /// A window's attributes, where it gives what the graph says that it does.
    fn window(&self, node: &Node<'a>, kernel: [i64; 2]) -> Result<Vec<AttributeProto>, String> {
        let (strides, is_padded) = (node.sides("strides")?, node.is_padded()?);
        let dilations = node.sides("dilations").unwrap_or([1, 1]);
        let read = node.inputs.iter().find(|input| self.nodes.contains_key(**input));
        let before = self.shape_of(read.ok_or_else(|| node.lacks("inbounds"))?)?;
        if let ([_, _, before @ ..], [_, _, after @ ..]) = (before, node.shape()?) {
            for at in 0..before.len().min(2) {
                let wide = dilations[at] * (kernel[at] - 1) + 1;
                let side = match is_padded {
                    true => before[at].div_euclid(strides[at].max(1)) + i64::from(before[at] % strides[at].max(1) > 0),
                    false => (before[at] - wide).div_euclid(strides[at].max(1)) + 1,
                };
                if after.get(at) != Some(&side) {
                    let told = after.get(at).copied().unwrap_or(0);
                    let name = node.name;
                    return Err(format!(
                        "node `{name}` is said to give a side of {told}, and gives {side}"
                    ));
                }
            }
        }
        Ok(vec![
            AttributeProto::ints("kernel_shape", kernel.to_vec()),
            AttributeProto::ints("strides", strides.to_vec()),
            AttributeProto::string("auto_pad", if is_padded { "SAME_UPPER" } else { "VALID" }),
        ])
    }

    /// A product with weights, or of two values.
    fn product(&mut self, node: &Node<'a>) -> Result<(), String> {
        let inputs = self.computed(node)?;
        if let [a, b] = &inputs[..] {
            self.push("MatMul", &[a, b], node, Vec::new());
            return Ok(());
        }
        let input = inputs.first().ok_or_else(|| node.lacks("inbounds"))?;
        let read = node.inputs.iter().find(|input| self.nodes.contains_key(**input));
        let before = self.shape_of(read.ok_or_else(|| node.lacks("inbounds"))?)?.to_vec();
        let ([.., inner], [.., outer]) = (&before[..], node.shape()?) else {
            return Err(node.lacks("output_shape"));
        };
        let weights = self.weight(node, "weights", vec![*inner, *outer]);
        self.push("MatMul", &[input, &weights], node, Vec::new());
        Ok(())
    }

    /// The whole numbers of the constant that a node reads.
    fn constant_list(&self, node: &Node<'a>) -> Result<Vec<i64>, String> {
        let constants = node.inputs.iter().filter_map(|input| self.nodes.get(input));
        let mut lists = constants.filter_map(|(_, constant)| constant.numbers("constant").ok());
        lists.next().ok_or_else(|| node.lacks("perm"))
    }

    /// Checks that what is said to be an axis is that of channels.
    fn along_channels(&self, node: &Node<'a>, attribute: &str) -> Result<(), String> {
        let last = node.shape()?.len() as f64 - 1.0;
        match node.number(attribute) {
            Some(told) if told == last || told == -1.0 => Ok(()),
            _ => Err(node.lacks(attribute)),
        }
    }

    /// Weights, whose values nobody needs.
    fn weight(&mut self, node: &Node<'_>, what: &str, dims: Vec<i64>) -> String {
        let name = format!("{}/{what}", node.name);
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            data_type: FLOAT,
            dims,
            // Values that would lie beside the model.
            data_location: 1,
            ..TensorProto::default()
        });
        name
    }

    fn scalar(&mut self, node: &Node<'_>, what: &str, value: f32) -> String {
        let name = format!("{}/{what}", node.name);
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            data_type: FLOAT,
            float_data: vec![value],
            ..TensorProto::default()
        });
        name
    }

    fn list(&mut self, node: &Node<'_>, what: &str, values: Vec<i64>) -> String {
        let name = format!("{}/{what}", node.name);
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            data_type: INT64,
            dims: vec![values.len() as i64],
            int64_data: values,
            ..TensorProto::default()
        });
        name
    }
}

/// The channels of what a node gives, and how many sides that has.
fn channels(node: &Node<'_>) -> Result<(i64, usize), String> {
    match node.shape()? {
        [_, channels, ..] => Ok((*channels, node.shape()?.len())),
        _ => Err(node.lacks("output_shape")),
    }
}

/// The shape of one number for each channel, beside values of so many sides.
fn along_channels(channels: i64, rank: usize) -> Vec<i64> {
    let mut dims = vec![channels];
    dims.resize(rank.saturating_sub(1).max(1), 1);
    dims
}

/// A part of what a split gives.
fn part(name: &str, at: usize) -> String {
    format!("{name}:{at}")
}
