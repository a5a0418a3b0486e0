//! Tensors that a model holds: weights, of which the shape is enough, and short constants, of which the values are read.

use crate::error::OnnxError;
use crate::fact::{Fact, Literal, MOST_KEPT, Origin, elements};
use crate::messages::{BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT32, INT64, TensorProto};

/// `TensorProto.DataLocation.EXTERNAL`.
pub(crate) const EXTERNAL: i32 = 1;

/// What is known of a tensor.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn read(tensor: &TensorProto) -> Result<Fact, String> {
    let side = |side: &i64| u64::try_from(*side).map_err(|_| format!("a side of {side}"));
    let shape = tensor.dims.iter().map(side).collect::<Result<Vec<_>, _>>()?;
    let count = elements(&shape)?;
    let literal = match usize::try_from(count) {
        Ok(count) if count <= MOST_KEPT && tensor.data_location != EXTERNAL => values(tensor, count)?,
        _ => None,
    };
    Ok(Fact {
        shape,
        origin: Origin::Constant(literal),
    })
}

/// Refuses the formats that networks are not measured in.
///
/// # Errors
/// `Format`, telling the place.
pub(crate) fn check_format(data_type: i32, place: impl FnOnce() -> String) -> Result<(), OnnxError> {
    let format = match data_type {
        FLOAT16 => "float16",
        BFLOAT16 => "bfloat16",
        17.. => "a format of a byte or less",
        _ => return Ok(()),
    };
    Err(OnnxError::Format {
        place: place(),
        format: format.into(),
    })
}

/// The values of a short tensor; `None` for formats that no shape is computed in.
fn values(tensor: &TensorProto, count: usize) -> Result<Option<Literal>, String> {
    let raw = &tensor.raw_data;
    // However short its shape says that it is, a file may hold many.
    let held = match tensor.data_type {
        FLOAT if raw.is_empty() => tensor.float_data.len(),
        DOUBLE if raw.is_empty() => tensor.double_data.len(),
        INT64 if raw.is_empty() => tensor.int64_data.len(),
        INT32 | BOOL if raw.is_empty() => tensor.int32_data.len(),
        FLOAT | INT32 => raw.len().div_ceil(4),
        DOUBLE | INT64 => raw.len().div_ceil(8),
        BOOL => raw.len(),
        _ => return Ok(None),
    };
    if held != count {
        return Err(format!("{held} values, where its shape has {count}"));
    }
    let literal = match tensor.data_type {
        FLOAT if raw.is_empty() => Literal::Floats(tensor.float_data.iter().map(|value| f64::from(*value)).collect()),
        FLOAT => Literal::Floats(words(raw)?.map(|word| f64::from(f32::from_le_bytes(word))).collect()),
        DOUBLE if raw.is_empty() => Literal::Floats(tensor.double_data.clone()),
        DOUBLE => Literal::Floats(words(raw)?.map(f64::from_le_bytes).collect()),
        INT64 if raw.is_empty() => Literal::Ints(tensor.int64_data.clone()),
        INT64 => Literal::Ints(words(raw)?.map(i64::from_le_bytes).collect()),
        INT32 | BOOL if raw.is_empty() => {
            Literal::Ints(tensor.int32_data.iter().map(|value| i64::from(*value)).collect())
        }
        INT32 => Literal::Ints(words(raw)?.map(|word| i64::from(i32::from_le_bytes(word))).collect()),
        BOOL => Literal::Ints(raw.iter().map(|byte| i64::from(*byte)).collect()),
        _ => return Ok(None),
    };
    Ok(Some(literal))
}

/// Words of `N` bytes.
fn words<const N: usize>(raw: &[u8]) -> Result<impl Iterator<Item = [u8; N]> + '_, String> {
    let (words, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!("{} bytes are no values of {N} bytes", raw.len()));
    }
    Ok(words.iter().copied())
}
