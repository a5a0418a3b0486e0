//! Operators that work on each element by itself.

use crate::call::Call;
use crate::fact::Shape;

/// One value in, one of the same shape out.
const UNARY: [&str; 48] = [
    "Abs",
    "Acos",
    "Asin",
    "Atan",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "CumSum",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "MeanVarianceNormalization",
    "Mish",
    "Neg",
    "Not",
    "RMSNormalization",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Tanh",
    "ThresholdedRelu",
];

/// Values in that are broadcast, one out.
const BROADCAST: [&str; 18] = [
    "Add",
    "And",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Or",
    "PRelu",
    "Pow",
    "Sub",
    "Sum",
];

pub(crate) fn is_unary(op: &str) -> bool {
    UNARY.contains(&op) || matches!(op, "Swish" | "Trilu")
}

pub(crate) fn is_broadcast(op: &str) -> bool {
    BROADCAST.contains(&op) || matches!(op, "Where" | "Xor")
}

/// The shape that all inputs are broadcast to.
pub(crate) fn broadcast_all(call: &Call<'_>) -> Result<Shape, String> {
    // Before opset 7 a value of fewer dimensions was set against those from `axis` on, and never wider.
    if call.attribute("broadcast").is_some() || call.attribute("axis").is_some() {
        return Ok(call.shape(0)?.to_vec());
    }
    let mut shape = call.shape(0)?.to_vec();
    for at in 1..call.inputs.len() {
        shape = broadcast(&shape, call.shape(at)?)?;
    }
    Ok(shape)
}

/// The shape that two values are broadcast to, as NumPy has it.
pub(crate) fn broadcast(a: &[u64], b: &[u64]) -> Result<Shape, String> {
    let rank = a.len().max(b.len());
    let side = |shape: &[u64], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|at| match (side(a, at), side(b, at)) {
            (a, b) if a == b => Ok(a),
            (1, side) | (side, 1) => Ok(side),
            _ => Err(format!("{a:?} and {b:?} do not go together")),
        })
        .collect()
}
