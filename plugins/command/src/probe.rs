//! A network as small as can be, by which a program shows that it works before anything is measured.

/// An ONNX model: the mean over height and width of an image of 3 x 8 x 8, as a vector.
pub(crate) fn network() -> Vec<u8> {
    let node = |name: &str, op: &str, input: &str, output: &str| {
        [text(1, input), text(2, output), text(3, name), text(4, op)].concat()
    };
    let port = |name: &str, shape: &[u64]| {
        let dims: Vec<u8> = shape.iter().flat_map(|side| bytes(1, &number(1, *side))).collect();
        let tensor = [number(1, FLOAT), bytes(2, &dims)].concat();
        [text(1, name), bytes(2, &bytes(1, &tensor))].concat()
    };
    let graph = [
        bytes(1, &node("pool", "GlobalAveragePool", "input", "pooled")),
        bytes(1, &node("flatten", "Flatten", "pooled", "logits")),
        text(2, "probe"),
        bytes(11, &port("input", &[1, 3, 8, 8])),
        bytes(12, &port("logits", &[1, 3])),
    ]
    .concat();
    let opset = number(2, 17);
    [number(1, 9), text(2, "lglp"), bytes(7, &graph), bytes(8, &opset)].concat()
}

/// `TensorProto.DataType.FLOAT`.
const FLOAT: u64 = 1;

/// A field of protobuf's wire format with a number; `field` is below 16, as all of ONNX's are here.
fn number(field: u8, value: u64) -> Vec<u8> {
    [vec![field << 3], varint(value)].concat()
}

/// A field with bytes, or a message.
fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [vec![field << 3 | 2], varint(value.len() as u64), value.to_vec()].concat()
}

fn text(field: u8, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
