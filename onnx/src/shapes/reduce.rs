//! Operators that sum up over some dimensions.

use crate::call::{Call, dimension};
use crate::fact::Shape;

pub(super) fn is(op: &str) -> bool {
    op.starts_with("Reduce") || matches!(op, "ArgMax" | "ArgMin")
}

pub(super) fn shape(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let keeps = call.int("keepdims", 1) != 0;
    let axes = axes(call, input.len())?;
    let side = |(at, side): (usize, &u64)| match axes.contains(&at) {
        false => Some(*side),
        true => keeps.then_some(1),
    };
    Ok(input.iter().enumerate().filter_map(side).collect())
}

/// The dimensions that are summed over.
fn axes(call: &Call<'_>, rank: usize) -> Result<Vec<usize>, String> {
    if call.op().starts_with("Arg") {
        return Ok(vec![dimension(call.int("axis", 0), rank)?]);
    }
    match call.ints_or_numbers("axes", 1)? {
        Some(axes) if !axes.is_empty() => axes.iter().map(|axis| dimension(*axis, rank)).collect(),
        _ if call.int("noop_with_empty_axes", 0) != 0 => Ok(Vec::new()),
        _ => Ok((0..rank).collect()),
    }
}
