//! Products of matrices, and layers that are made of them.

use super::elementwise::broadcast;
use crate::call::Call;
use crate::fact::Shape;

pub(super) fn gemm(call: &Call<'_>) -> Result<Shape, String> {
    let side = |at: usize, flipped: &str| match call.shape(at)? {
        [rows, columns] if call.int(flipped, 0) != 0 => Ok((*columns, *rows)),
        [rows, columns] => Ok((*rows, *columns)),
        // Before opset 7 an input of more dimensions was taken as rows.
        [rows, columns @ ..] if at == 0 => {
            Ok((*rows, columns.iter().fold(1u64, |all, side| all.saturating_mul(*side))))
        }
        shape => Err(format!("{shape:?} is no matrix")),
    };
    let ((rows, inner), (same, columns)) = (side(0, "transA")?, side(1, "transB")?);
    if inner != same {
        return Err(format!("a product over {inner} and {same}"));
    }
    Ok(vec![rows, columns])
}

pub(super) fn matmul(call: &Call<'_>) -> Result<Shape, String> {
    let (a, b) = (call.shape(0)?, call.shape(1)?);
    let (Some((inner, _)), false) = (a.split_last(), b.is_empty()) else {
        return Err(format!("a product of {a:?} and {b:?}"));
    };
    let same = if b.len() == 1 { b[0] } else { b[b.len() - 2] };
    if *inner != same {
        return Err(format!("a product of {a:?} and {b:?}"));
    }
    let outer = |shape: &'_ [u64]| shape[..shape.len().saturating_sub(2)].to_vec();
    let mut output = broadcast(&outer(a), &outer(b))?;
    if a.len() > 1 {
        output.push(a[a.len() - 2]);
    }
    if b.len() > 1 {
        output.push(b[b.len() - 1]);
    }
    Ok(output)
}

/// The outputs, the last hidden state and, of an LSTM, the last cell state.
pub(super) fn recurrent(call: &Call<'_>) -> Result<Vec<Shape>, String> {
    let (input, weights, recurrence) = (call.shape(0)?, call.shape(1)?, call.shape(2)?);
    let (&[first, second, _], &[directions, ..], &[_, _, hidden]) = (input, weights, recurrence) else {
        return Err(format!(
            "an input of {input:?} and weights of {weights:?} and {recurrence:?}"
        ));
    };
    // `layout` 1 has the batch first, else the steps are.
    let (all, state) = match call.int("layout", 0) {
        0 => (
            vec![first, directions, second, hidden],
            vec![directions, second, hidden],
        ),
        _ => (vec![first, second, directions, hidden], vec![first, directions, hidden]),
    };
    Ok(vec![all, state.clone(), state])
}
