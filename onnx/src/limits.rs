//! How large a model may be. Messages of two bytes take hundreds once they are decoded, so they are counted before.

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::OnnxError;
use crate::messages::ModelProto;

/// Messages and texts of a model that are read at most; the largest networks of the ONNX model zoo have some 100,000.
pub(crate) const MOST_PARTS: u64 = 200_000;

/// Numbers in lists of whole numbers that are read at most. One of a byte takes eight once it is decoded; weights are floats.
pub(crate) const MOST_NUMBERS: u64 = 1 << 22;

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
    Tensor,
    /// No message is part of it, nor a list of whole numbers.
    Other,
}

impl Message {
    /// What the field of a number holds; `None` where it holds one text or number, or is not read.
    fn part(self, field: u32) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) => Self::Graph,
            (Self::Attribute, 5) | (Self::Graph, 5) => Self::Tensor,
            (Self::Model, 8) | (Self::Shape, 1) => Self::Other,
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

    /// Whether the field of a number is a list of whole numbers.
    fn is_list(self, field: u32) -> bool {
        matches!((self, field), (Self::Attribute, 8) | (Self::Tensor, 1 | 5 | 7))
    }
}

/// Decodes a model that has not too many parts.
///
/// # Errors
/// `NotOnnx` and `TooMuch`.
pub(crate) fn decode(model: Bytes) -> Result<ModelProto, OnnxError> {
    Counts::default().add(&model, Message::Model, DEEPEST)?;
    ModelProto::decode(model).map_err(|error| OnnxError::NotOnnx(error.to_string()))
}

/// What was met so far.
#[derive(Default)]
struct Counts {
    parts: u64,
    numbers: u64,
}

impl Counts {
    fn add(&mut self, mut rest: &[u8], message: Message, depth: u32) -> Result<(), OnnxError> {
        while !rest.is_empty() {
            let (field, wire) = decode_key(&mut rest).map_err(broken)?;
            if message.is_list(field) {
                self.list(wire, field, &mut rest)?;
                continue;
            }
            let (WireType::LengthDelimited, Some(part)) = (wire, message.part(field)) else {
                skip_field(wire, field, &mut rest, DecodeContext::default()).map_err(broken)?;
                continue;
            };
            let inner = delimited(&mut rest)?;
            self.parts += 1;
            if self.parts > MOST_PARTS {
                return Err(OnnxError::TooMuch {
                    what: format!("more than {MOST_PARTS} nodes, names and attributes"),
                    most: MOST_PARTS,
                });
            }
            match part {
                Message::Other => {}
                _ if depth == 0 => return Err(OnnxError::NotOnnx("its parts are nested too deep".into())),
                part => self.add(inner, part, depth - 1)?,
            }
        }
        Ok(())
    }

    /// One number of a list, or all of one that is packed.
    fn list(&mut self, wire: WireType, field: u32, rest: &mut &[u8]) -> Result<(), OnnxError> {
        self.numbers += match wire {
            // Each number ends in a byte without its highest bit.
            WireType::LengthDelimited => delimited(rest)?.iter().filter(|byte| **byte < 0x80).count() as u64,
            _ => {
                skip_field(wire, field, rest, DecodeContext::default()).map_err(broken)?;
                1
            }
        };
        match self.numbers <= MOST_NUMBERS {
            true => Ok(()),
            false => Err(OnnxError::TooMuch {
                what: format!("more than {MOST_NUMBERS} whole numbers"),
                most: MOST_NUMBERS,
            }),
        }
    }
}

/// The bytes of a field that tells its length.
fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], OnnxError> {
    let length = decode_varint(rest).map_err(broken)?;
    let inner = usize::try_from(length)
        .ok()
        .and_then(|length| rest.split_at_checked(length));
    let Some((inner, after)) = inner else {
        return Err(OnnxError::NotOnnx(format!(
            "a part of {length} bytes, where {} are left",
            rest.len()
        )));
    };
    *rest = after;
    Ok(inner)
}

fn broken(error: prost::DecodeError) -> OnnxError {
    OnnxError::NotOnnx(error.to_string())
}
