//! A model's graph, with what is known of each of its values.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;

use crate::call::Call;
use crate::error::OnnxError;
use crate::fact::{Fact, Literal, MOST_DIMENSIONS, MOST_KEPT, Origin, Shape, elements};
use crate::messages::{DOUBLE, DimensionProto, GraphProto, NodeProto, ValueInfoProto};
use crate::{fold, limits, shapes, tensor};

/// The number of a value.
pub(crate) type ValueId = usize;

/// Values of constants that are kept, over all of a graph.
const MOST_LITERALS: usize = 1 << 20;

/// A graph whose shapes are all known.
pub(crate) struct Graph {
    pub nodes: Vec<Node>,
    /// By the number of a value.
    pub facts: Vec<Fact>,
    pub outputs: Vec<ValueId>,
    /// Inputs at once: the first side of the first input.
    pub batch: u64,
}

/// A node whose operator is known.
pub(crate) struct Node {
    pub proto: NodeProto,
    /// `None` for one that is left out.
    pub inputs: Vec<Option<ValueId>>,
    /// `None` for one that nobody asks for.
    pub outputs: Vec<Option<ValueId>>,
}

impl Graph {
    pub(crate) fn call<'a>(&'a self, node: &'a Node) -> Call<'a> {
        Call {
            node: &node.proto,
            inputs: node
                .inputs
                .iter()
                .map(|input| input.map(|id| &self.facts[id]))
                .collect(),
        }
    }
}

/// Reads a model; `given` are the shapes of inputs by their names, for those that the model leaves open.
///
/// # Errors
/// See [`OnnxError`].
pub(crate) fn read(model: Bytes, given: &BTreeMap<String, Vec<u64>>) -> Result<Graph, OnnxError> {
    let graph = limits::decode(model)?
        .graph
        .ok_or_else(|| OnnxError::NotOnnx("it has no graph".into()))?;
    of(graph, given)
}

/// A graph that is decoded.
pub(crate) fn of(graph: GraphProto, given: &BTreeMap<String, Vec<u64>>) -> Result<Graph, OnnxError> {
    Reader::default().read(graph, given)
}

#[derive(Default)]
struct Reader {
    names: HashMap<String, ValueId>,
    facts: Vec<Fact>,
    /// Shapes that the exporter wrote down.
    noted: HashMap<String, ValueInfoProto>,
    nodes: Vec<Node>,
    literals: usize,
}

impl Reader {
    fn read(mut self, graph: GraphProto, given: &BTreeMap<String, Vec<u64>>) -> Result<Graph, OnnxError> {
        for initializer in &graph.initializer {
            tensor::check_format(initializer.data_type, || format!("the weight `{}`", initializer.name))?;
            let fact = tensor::read(initializer).map_err(|message| OnnxError::Node {
                node: initializer.name.clone(),
                op: "initializer".into(),
                message,
            })?;
            self.add(initializer.name.clone(), fact);
        }
        // Old models list their weights among the inputs.
        let inputs: Vec<&ValueInfoProto> = graph
            .input
            .iter()
            .filter(|input| !self.names.contains_key(&input.name))
            .collect();
        let known: HashSet<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        if let Some(name) = given.keys().find(|name| !known.contains(name.as_str())) {
            let known: Vec<_> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
            return Err(OnnxError::GivenShape {
                input: name.clone(),
                message: format!("there is no such input; there are {}", known.join(", ")),
            });
        }
        let mut batch = None;
        for input in inputs {
            let shape = input_shape(input, given.get(&input.name))?;
            elements(&shape).map_err(|message| OnnxError::GivenShape {
                input: input.name.clone(),
                message,
            })?;
            batch = batch.or(shape.first().copied());
            self.add(input.name.clone(), Fact::computed(shape));
        }
        let outputs: Vec<String> = graph.output.into_iter().map(|output| output.name).collect();
        self.noted = graph
            .value_info
            .into_iter()
            .map(|info| (info.name.clone(), info))
            .collect();
        for (number, node) in graph.node.into_iter().enumerate() {
            let (name, op) = (node.name.clone(), node.op_type.clone());
            self.node(node).map_err(|fault| match fault {
                Fault::Model(error) => error,
                Fault::Node(message) => OnnxError::Node {
                    node: if name.is_empty() {
                        format!("number {number}")
                    } else {
                        name
                    },
                    op,
                    message,
                },
            })?;
        }
        let output = |name: &String| {
            let known = self.names.get(name).copied();
            known.ok_or_else(|| OnnxError::NotOnnx(format!("nothing computes its output `{name}`")))
        };
        Ok(Graph {
            outputs: outputs.iter().map(output).collect::<Result<_, _>>()?,
            nodes: self.nodes,
            facts: self.facts,
            batch: batch.unwrap_or(1).max(1),
        })
    }

    fn add(&mut self, name: String, mut fact: Fact) -> ValueId {
        if let Origin::Constant(literal) = &mut fact.origin {
            let length = literal.as_ref().map_or(0, Literal::len);
            match length <= MOST_KEPT && self.literals + length <= MOST_LITERALS {
                true => self.literals += length,
                false => *literal = None,
            }
        }
        self.facts.push(fact);
        self.names.insert(name, self.facts.len() - 1);
        self.facts.len() - 1
    }

    fn node(&mut self, node: NodeProto) -> Result<(), Fault> {
        check_operator(&node)?;
        // Whatever it computes, nobody sees it.
        if node.output.iter().all(String::is_empty) {
            return Ok(());
        }
        let input = |name: &String| match (name.is_empty(), self.names.get(name)) {
            (true, _) => Ok(None),
            (false, Some(id)) => Ok(Some(*id)),
            (false, None) => Err(Fault::Node(format!("nothing before it computes its input `{name}`"))),
        };
        let inputs = node.input.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let call = Call {
            node: &node,
            inputs: inputs.iter().map(|input| input.map(|id| &self.facts[id])).collect(),
        };
        let facts = self.outcome(&call)?;
        let mut facts = facts.into_iter();
        let mut outputs = Vec::with_capacity(node.output.len());
        for name in &node.output {
            let fact = facts.next();
            outputs.push(match (name.is_empty(), fact) {
                (true, _) => None,
                (false, Some(fact)) => Some(self.add(name.clone(), fact)),
                (false, None) => return Err(Fault::Node(format!("its output `{name}` is one too many"))),
            });
        }
        self.nodes.push(Node {
            proto: node,
            inputs,
            outputs,
        });
        Ok(())
    }

    /// What is known of a node's outputs.
    fn outcome(&self, call: &Call<'_>) -> Result<Vec<Fact>, Fault> {
        if call.op() == "Constant" {
            return Ok(vec![constant(call)?]);
        }
        let shapes = match shapes::of(call).map_err(Fault::Node)? {
            Some(shapes) => shapes,
            None => self.noted(call)?,
        };
        for shape in &shapes {
            elements(shape).map_err(Fault::Node)?;
        }
        // The shape of a value is known, whatever the value.
        let asks_for_shape = matches!(call.op(), "Shape" | "Size");
        let computed = call.inputs.iter().flatten().any(|input| !input.is_constant());
        if computed && !asks_for_shape {
            return Ok(shapes.into_iter().map(Fact::computed).collect());
        }
        // What there is no room for is not computed.
        let room = (MOST_LITERALS - self.literals) as u64;
        let fits = |shape: &&Shape| shape.iter().product::<u64>() <= room;
        let literal = shapes.first().filter(fits).and_then(|shape| fold::literal(call, shape));
        let mut facts: Vec<Fact> = shapes
            .into_iter()
            .map(|shape| Fact {
                shape,
                origin: Origin::Constant(None),
            })
            .collect();
        if let Some(first) = facts.first_mut() {
            first.origin = Origin::Constant(literal);
        }
        Ok(facts)
    }

    /// The shapes that the model itself tells of the outputs of an operator that is not known here.
    fn noted(&self, call: &Call<'_>) -> Result<Vec<Shape>, Fault> {
        let shape = |name: &String| {
            let info = self.noted.get(name);
            // Before it is copied for each of the outputs that may name it.
            let dims = info.and_then(dimensions).filter(|dims| dims.len() <= MOST_DIMENSIONS)?;
            dims.iter()
                .map(|dim| u64::try_from(dim.dim_value?).ok())
                .collect::<Option<Shape>>()
        };
        let shapes = call.node.output.iter().map(shape).collect::<Option<Vec<_>>>();
        shapes.ok_or_else(|| {
            let message = "it is not known here, and the model does not tell the shapes that it gives; \
                           `onnx.shape_inference.infer_shapes` may write them down";
            Fault::Node(message.into())
        })
    }
}

/// What is wrong: with the node at hand, or with all of the model.
enum Fault {
    Node(String),
    Model(OnnxError),
}

/// Refuses what computes in other formats, or is a program of its own.
fn check_operator(node: &NodeProto) -> Result<(), Fault> {
    let op = node.op_type.as_str();
    let place = || format!("the node `{}` ({op})", node.name);
    if op.starts_with("QLinear")
        || matches!(
            op,
            "QuantizeLinear" | "DequantizeLinear" | "DynamicQuantizeLinear" | "ConvInteger" | "MatMulInteger"
        )
    {
        return Err(Fault::Model(OnnxError::Format {
            place: place(),
            format: "integers that stand for floats".into(),
        }));
    }
    if matches!(op, "If" | "Loop" | "Scan" | "SequenceMap") {
        let message = "what it runs is decided while the network runs; export the network without it";
        return Err(Fault::Node(message.into()));
    }
    if op == "Cast" {
        let to = node
            .attribute
            .iter()
            .find(|attribute| attribute.name == "to")
            .map_or(0, |to| to.i);
        tensor::check_format(i32::try_from(to).unwrap_or(0), place).map_err(Fault::Model)?;
    }
    Ok(())
}

/// What the node `Constant` holds.
fn constant(call: &Call<'_>) -> Result<Fact, Fault> {
    if let Some(tensor) = call.attribute("value").and_then(|attribute| attribute.t.as_ref()) {
        tensor::check_format(tensor.data_type, || format!("the constant `{}`", call.node.name))
            .map_err(Fault::Model)?;
        return tensor::read(tensor).map_err(Fault::Node);
    }
    let (shape, literal) = if let Some(value) = call.attribute("value_int") {
        (Vec::new(), Literal::Ints(vec![value.i]))
    } else if let Some(value) = call.attribute("value_float") {
        (Vec::new(), Literal::Floats(vec![f64::from(value.f)]))
    } else if let Some(values) = call.ints("value_ints") {
        (vec![values.len() as u64], Literal::Ints(values.to_vec()))
    } else if let Some(values) = call.attribute("value_floats") {
        let values: Vec<f64> = values.floats.iter().copied().map(f64::from).collect();
        (vec![values.len() as u64], Literal::Floats(values))
    } else {
        return Err(Fault::Node("it has no value of numbers".into()));
    };
    Ok(Fact {
        shape,
        origin: Origin::Constant(Some(literal)),
    })
}

fn dimensions(info: &ValueInfoProto) -> Option<&[DimensionProto]> {
    let tensor = info.r#type.as_ref()?.tensor_type.as_ref()?;
    Some(&tensor.shape.as_ref()?.dim)
}

/// The shape of an input: as it was given, or as the model fixes it, an open batch being 1.
fn input_shape(input: &ValueInfoProto, given: Option<&Vec<u64>>) -> Result<Shape, OnnxError> {
    let format = input
        .r#type
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref())
        .map_or(0, |tensor| tensor.elem_type);
    let place = || format!("the input `{}`", input.name);
    tensor::check_format(format, place)?;
    if format == DOUBLE {
        return Err(OnnxError::Format {
            place: place(),
            format: "float64".into(),
        });
    }
    let dims = dimensions(input);
    let fixed = |dim: &DimensionProto| dim.dim_value.filter(|side| *side > 0).map(|side| side as u64);
    let Some(given) = given else {
        let dims = dims.ok_or_else(|| OnnxError::OpenShape {
            input: input.name.clone(),
            shape: "of any number of dimensions".into(),
            example: "1x3x224x224".into(),
        })?;
        let shape = dims
            .iter()
            .enumerate()
            .map(|(at, dim)| fixed(dim).or((at == 0).then_some(1)));
        return shape.collect::<Option<Shape>>().ok_or_else(|| open(input, dims));
    };
    let fits = dims.is_none_or(|dims| {
        dims.len() == given.len()
            && dims
                .iter()
                .zip(given)
                .all(|(dim, side)| fixed(dim).is_none_or(|fixed| fixed == *side))
    });
    if !fits || given.contains(&0) {
        return Err(OnnxError::GivenShape {
            input: input.name.clone(),
            message: format!(
                "{} does not fit what the model says, {}",
                sides(given),
                told(dims.unwrap_or_default())
            ),
        });
    }
    Ok(given.clone())
}

fn open(input: &ValueInfoProto, dims: &[DimensionProto]) -> OnnxError {
    let rank = dims.len();
    let example = |(at, dim): (usize, &DimensionProto)| match dim.dim_value {
        Some(side @ 1..) => side as u64,
        _ if at == 0 => 1,
        // Of an image the channels, else its sides; of a sequence its length.
        _ if at == 1 && rank == 4 => 3,
        _ if rank == 4 => 224,
        _ => 128,
    };
    let example: Vec<u64> = dims.iter().enumerate().map(example).collect();
    OnnxError::OpenShape {
        input: input.name.clone(),
        shape: told(dims),
        example: sides(&example),
    }
}

/// `batch x 3 x height x width`
fn told(dims: &[DimensionProto]) -> String {
    let side = |dim: &DimensionProto| match (dim.dim_value, dim.dim_param.as_str()) {
        (Some(side @ 1..), _) => side.to_string(),
        (_, "") => "?".into(),
        (_, name) => name.into(),
    };
    dims.iter().map(side).collect::<Vec<_>>().join("x")
}

fn sides(shape: &[u64]) -> String {
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join("x")
}
