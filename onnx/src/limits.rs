//! How large a model may be. Messages of two bytes take hundreds once they are decoded, so they are counted before.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::OnnxError;

/// Messages and texts of a model that are read at most; the largest networks of the ONNX model zoo have some 100,000.
pub(crate) const MOST_PARTS: u64 = 200_000;

/// Messages within messages; the schema nests ten without subgraphs.
const DEEPEST: u32 = 24;

/// The messages of the schema that others are part of.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    /// No message is part of it.
    Other,
}

impl Message {
    /// What the field of a number holds; `None` where it holds one text or number, or is not read.
    fn part(self, field: u32) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) => Self::Graph,
            (Self::Model, 8) | (Self::Attribute, 5) | (Self::Graph, 5) | (Self::Shape, 1) => Self::Other,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            // Names of inputs and outputs.
            (Self::Node, 1 | 2) => Self::Other,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            _ => return None,
        })
    }
}

/// Refuses a model of too many parts.
///
/// # Errors
/// `NotOnnx` and `TooMuch`.
pub(crate) fn check(model: &[u8]) -> Result<(), OnnxError> {
    let mut parts = 0;
    count(model, Message::Model, DEEPEST, &mut parts)
}

fn count(mut rest: &[u8], message: Message, depth: u32, parts: &mut u64) -> Result<(), OnnxError> {
    let broken = |error: prost::DecodeError| OnnxError::NotOnnx(error.to_string());
    while !rest.is_empty() {
        let (field, wire) = decode_key(&mut rest).map_err(broken)?;
        let (WireType::LengthDelimited, Some(part)) = (wire, message.part(field)) else {
            skip_field(wire, field, &mut rest, DecodeContext::default()).map_err(broken)?;
            continue;
        };
        let length = decode_varint(&mut rest).map_err(broken)?;
        let inner = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length));
        let Some((inner, after)) = inner else {
            return Err(OnnxError::NotOnnx(format!(
                "a part of {length} bytes, where {} are left",
                rest.len()
            )));
        };
        rest = after;
        *parts += 1;
        if *parts > MOST_PARTS {
            return Err(OnnxError::TooMuch {
                what: format!("more than {MOST_PARTS} nodes, names and attributes"),
                most: MOST_PARTS,
            });
        }
        match part {
            Message::Other => {}
            _ if depth == 0 => return Err(OnnxError::NotOnnx("its parts are nested too deep".into())),
            part => count(inner, part, depth - 1, parts)?,
        }
    }
    Ok(())
}
