//! A network in half precision: what a strongly typed TensorRT takes instead of a flag.

use half::f16;
use lglp_sdk::plugin::PluginError;
use prost::Message;

/// `TensorProto.DataType`.
const FLOAT: i32 = 1;
const FLOAT16: i32 = 10;

// What networks of lglp consist of; see onnx.proto3.

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<Opset>,
}

#[derive(Clone, PartialEq, Message)]
struct Opset {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    /// Operators stay as they are, whatever is in them.
    #[prost(bytes = "vec", repeated, tag = "1")]
    node: Vec<Vec<u8>>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Message)]
struct Kind {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorKind>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorKind {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(bytes = "vec", optional, tag = "2")]
    shape: Option<Vec<u8>>,
}

/// The network with weights, input and output in half precision. Anything in it that is not known here, and would get lost, is
/// an error.
pub(crate) fn convert(onnx: &[u8]) -> Result<Vec<u8>, PluginError> {
    let refuse = |reason: String| PluginError::Failed(format!("cannot write the network in half precision: {reason}"));
    let mut model = Model::decode(onnx).map_err(|problem| refuse(problem.to_string()))?;
    // Fields that were not decoded are not encoded either.
    if model.encoded_len() != onnx.len() {
        return Err(refuse("it has parts that this plugin does not know".into()));
    }
    let graph = model.graph.as_mut().ok_or_else(|| refuse("it has no graph".into()))?;
    for tensor in graph.initializer.iter_mut().filter(|tensor| tensor.data_type == FLOAT) {
        let (values, rest) = tensor.raw_data.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(refuse(format!("`{}` is not a number of floats", tensor.name)));
        }
        let halves = values
            .iter()
            .flat_map(|bytes| f16::from_f32(f32::from_le_bytes(*bytes)).to_le_bytes());
        tensor.raw_data = halves.collect();
        tensor.data_type = FLOAT16;
    }
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        if let Some(tensor) = value.kind.as_mut().and_then(|kind| kind.tensor.as_mut())
            && tensor.elem_type == FLOAT
        {
            tensor.elem_type = FLOAT16;
        }
    }
    Ok(model.encode_to_vec())
}
