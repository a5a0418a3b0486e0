//! What a model is changed by: its parts, so that what comes out is still read far into, or its bytes.

use lglp_onnx::messages::*;
use proptest::prelude::*;

/// Numbers that sums, products, negations and axes go wrong with.
const EXTREMES: [i64; 16] = [
    i64::MIN,
    i64::MIN + 1,
    -(1 << 32),
    -17,
    -2,
    -1,
    0,
    1,
    2,
    16,
    1 << 24,
    1 << 31,
    1 << 48,
    1 << 62,
    i64::MAX - 1,
    i64::MAX,
];

const FLOATS: [f32; 6] = [0.0, -1.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE, f32::MAX];

/// Attributes that some operator reads.
const ATTRIBUTES: [&str; 12] = [
    "axes",
    "axis",
    "perm",
    "pads",
    "strides",
    "dilations",
    "group",
    "auto_pad",
    "output_shape",
    "split",
    "broadcast",
    "allowzero",
];

/// A change; each number picks one of what there is.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Number {
        of: usize,
        value: i64,
    },
    Float {
        of: usize,
        value: f32,
    },
    /// One list of numbers becomes longer or shorter.
    Length {
        of: usize,
        length: usize,
    },
    /// A name becomes another's.
    Name {
        of: usize,
        like: usize,
    },
    /// A node computes what another one does.
    Operator {
        of: usize,
        like: usize,
    },
    Attribute {
        of: usize,
        name: &'static str,
    },
    /// An attribute holds another type.
    Type {
        of: usize,
    },
    Input {
        of: usize,
    },
    Output {
        of: usize,
    },
    /// A node comes once more, elsewhere.
    Node {
        of: usize,
        to: usize,
    },
    Gone {
        of: usize,
    },
    Format {
        of: usize,
        value: i32,
    },
}

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    use Mutation::*;
    let of = any::<usize>;
    let value = prop_oneof![prop::sample::select(&EXTREMES[..]), -20i64..20, any::<i64>()];
    prop_oneof![
        6 => (of(), value).prop_map(|(of, value)| Number { of, value }),
        1 => (of(), prop::sample::select(&FLOATS[..])).prop_map(|(of, value)| Float { of, value }),
        2 => (of(), 0usize..40).prop_map(|(of, length)| Length { of, length }),
        3 => (of(), of()).prop_map(|(of, like)| Name { of, like }),
        3 => (of(), of()).prop_map(|(of, like)| Operator { of, like }),
        1 => (of(), prop::sample::select(&ATTRIBUTES[..])).prop_map(|(of, name)| Attribute { of, name }),
        1 => of().prop_map(|of| Type { of }),
        1 => of().prop_map(|of| Input { of }),
        1 => of().prop_map(|of| Output { of }),
        1 => (of(), of()).prop_map(|(of, to)| Node { of, to }),
        1 => of().prop_map(|of| Gone { of }),
        1 => (of(), -1i32..20).prop_map(|(of, value)| Format { of, value }),
    ]
}

impl Mutation {
    pub(crate) fn apply(&self, model: &mut ModelProto) {
        let Some(graph) = &mut model.graph else { return };
        match *self {
            Self::Number { of, value } => set(numbers(graph), of, value),
            Self::Float { of, value } => set(floats(graph), of, value),
            Self::Length { of, length } => {
                if let Some(list) = pick(lists(graph), of) {
                    let last = list.last().copied().unwrap_or(1);
                    list.resize(length, last);
                }
            }
            Self::Name { of, like } => {
                let name = pick(names(graph), like).cloned().unwrap_or_default();
                set(names(graph), of, name);
            }
            Self::Operator { of, like } => {
                let op = pick(nodes(graph), like).map(|node| node.op_type.clone());
                if let (Some(node), Some(op)) = (pick(nodes(graph), of), op) {
                    node.op_type = op;
                }
            }
            Self::Attribute { of, name } => {
                if let Some(attribute) = pick(attributes(graph), of) {
                    attribute.name = name.into();
                }
            }
            Self::Type { of } => {
                if let Some(attribute) = pick(attributes(graph), of) {
                    *attribute = match attribute.ints.first() {
                        Some(value) => AttributeProto::int(&attribute.name, *value),
                        None => AttributeProto::ints(&attribute.name, vec![attribute.i; 2]),
                    };
                }
            }
            Self::Input { of } => {
                if let Some(node) = pick(nodes(graph), of) {
                    node.input.pop();
                }
            }
            Self::Output { of } => {
                if let Some(node) = pick(nodes(graph), of) {
                    let more = format!("more-{of}");
                    node.output.push(more);
                }
            }
            Self::Node { of, to } => {
                if let Some(node) = pick(nodes(graph), of).cloned() {
                    let to = to % (graph.node.len() + 1);
                    graph.node.insert(to, node);
                }
            }
            Self::Gone { of } => {
                if !graph.node.is_empty() {
                    graph.node.remove(of % graph.node.len());
                }
            }
            Self::Format { of, value } => {
                if let Some(tensor) = pick(graph.initializer.iter_mut().collect(), of) {
                    tensor.data_type = value;
                }
            }
        }
    }
}

fn pick<T>(all: Vec<&mut T>, of: usize) -> Option<&mut T> {
    let count = all.len().max(1);
    all.into_iter().nth(of % count)
}

fn set<T>(all: Vec<&mut T>, of: usize, value: T) {
    if let Some(one) = pick(all, of) {
        *one = value;
    }
}

fn nodes(graph: &mut GraphProto) -> Vec<&mut NodeProto> {
    graph.node.iter_mut().collect()
}

fn attributes(graph: &mut GraphProto) -> Vec<&mut AttributeProto> {
    graph.node.iter_mut().flat_map(|node| &mut node.attribute).collect()
}

fn names(graph: &mut GraphProto) -> Vec<&mut String> {
    let mut all: Vec<&mut String> = Vec::new();
    for node in &mut graph.node {
        all.extend(node.input.iter_mut().chain(&mut node.output));
    }
    all.extend(graph.initializer.iter_mut().map(|tensor| &mut tensor.name));
    let infos = graph
        .input
        .iter_mut()
        .chain(&mut graph.output)
        .chain(&mut graph.value_info);
    all.extend(infos.map(|info| &mut info.name));
    all
}

fn lists(graph: &mut GraphProto) -> Vec<&mut Vec<i64>> {
    let mut all: Vec<&mut Vec<i64>> = Vec::new();
    all.extend(
        graph
            .node
            .iter_mut()
            .flat_map(|node| &mut node.attribute)
            .map(|attribute| &mut attribute.ints),
    );
    for tensor in &mut graph.initializer {
        all.extend([&mut tensor.dims, &mut tensor.int64_data]);
    }
    all
}

fn numbers(graph: &mut GraphProto) -> Vec<&mut i64> {
    let mut all: Vec<&mut i64> = Vec::new();
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        all.extend(attribute.ints.iter_mut().chain([&mut attribute.i]));
    }
    for tensor in &mut graph.initializer {
        all.extend(tensor.dims.iter_mut().chain(&mut tensor.int64_data));
    }
    for info in graph.input.iter_mut().chain(&mut graph.value_info) {
        let tensor = info.r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut());
        let shape = tensor.and_then(|tensor| tensor.shape.as_mut());
        all.extend(
            shape
                .into_iter()
                .flat_map(|shape| &mut shape.dim)
                .flat_map(|dim| &mut dim.dim_value),
        );
    }
    all
}

fn floats(graph: &mut GraphProto) -> Vec<&mut f32> {
    graph
        .initializer
        .iter_mut()
        .flat_map(|tensor| &mut tensor.float_data)
        .collect()
}

/// A change of the bytes.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Flip {
        at: usize,
        bit: u8,
    },
    Byte {
        at: usize,
        value: u8,
    },
    Truncate {
        to: usize,
    },
    /// Bytes of another file, or of the same, put between.
    Splice {
        to: usize,
        from: usize,
        length: usize,
    },
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    use Damage::*;
    prop_oneof![
        4 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Flip { at, bit }),
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, value)| Byte { at, value }),
        1 => any::<usize>().prop_map(|to| Truncate { to }),
        2 => (any::<usize>(), any::<usize>(), 0usize..80).prop_map(|(to, from, length)| Splice { to, from, length }),
    ]
}

impl Damage {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>, other: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let count = bytes.len();
        match *self {
            Self::Flip { at, bit } => bytes[at % count] ^= 1 << bit,
            Self::Byte { at, value } => bytes[at % count] = value,
            Self::Truncate { to } => bytes.truncate(to % count),
            Self::Splice { to, from, length } => {
                let from = from % other.len();
                let part = other[from..(from + length).min(other.len())].to_vec();
                let to = to % count;
                bytes.splice(to..to, part);
            }
        }
    }
}
