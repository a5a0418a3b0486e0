//! Models in a few words.

use lglp_onnx::messages::*;
use prost::Message;

pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto::new(op, "", inputs, outputs, Vec::new())
}

pub(crate) fn with(mut node: NodeProto, attributes: Vec<AttributeProto>) -> NodeProto {
    node.attribute = attributes;
    node
}

/// Whole numbers as a constant of one dimension.
pub(crate) fn numbers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: INT64,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// A number as a constant without dimensions.
pub(crate) fn scalar(name: &str, value: f32) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type: FLOAT,
        float_data: vec![value],
        ..TensorProto::default()
    }
}

/// Weights that lie in another file, as those of large models do.
pub(crate) fn weights(name: &str, dims: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: FLOAT,
        data_location: 1,
        ..TensorProto::default()
    }
}

/// An input of any sides.
pub(crate) fn input(name: &str, sides: &[i64]) -> ValueInfoProto {
    let mut input = ValueInfoProto::tensor(name, &[]);
    let shape = input.r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut());
    if let Some(shape) = shape.and_then(|tensor| tensor.shape.as_mut()) {
        shape.dim = sides
            .iter()
            .map(|side| DimensionProto {
                dim_value: Some(*side),
                dim_param: String::new(),
            })
            .collect();
    }
    input
}

pub(crate) fn model(
    inputs: Vec<ValueInfoProto>,
    initializer: Vec<TensorProto>,
    node: Vec<NodeProto>,
    output: &str,
) -> ModelProto {
    ModelProto {
        ir_version: 8,
        graph: Some(GraphProto {
            node,
            initializer,
            input: inputs,
            output: vec![ValueInfoProto::tensor(output, &[])],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

pub(crate) fn bytes(model: &ModelProto) -> bytes::Bytes {
    model.encode_to_vec().into()
}
