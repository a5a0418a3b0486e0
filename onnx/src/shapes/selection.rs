//! Operators that put values together, or take some of them.

use std::ops::Range;

use crate::call::{Call, dimension};
use crate::fact::{Literal, Shape};

pub(super) fn concat(call: &Call<'_>) -> Result<Shape, String> {
    let mut output = call.shape(0)?.to_vec();
    let at = dimension(call.int("axis", 1), output.len())?;
    for input in 1..call.inputs.len() {
        let shape = call.shape(input)?;
        let alike =
            shape.len() == output.len() && (0..shape.len()).all(|other| other == at || shape[other] == output[other]);
        if !alike {
            return Err(format!("{shape:?} and {output:?} do not go together along {at}"));
        }
        output[at] = output[at].checked_add(shape[at]).ok_or("too large")?;
    }
    Ok(output)
}

pub(super) fn split(call: &Call<'_>) -> Result<Vec<Shape>, String> {
    let input = call.shape(0)?;
    let at = dimension(call.int("axis", 0), input.len())?;
    let outputs = call.node.output.len() as u64;
    let sides: Vec<u64> = match call.ints_or_numbers("split", 1)? {
        Some(sides) => super::layout::sides(sides)?,
        None => {
            let side = input[at].div_ceil(outputs.max(1));
            (0..outputs)
                .map(|part| side.min(input[at].saturating_sub(part * side)))
                .collect()
        }
    };
    if sides.len() as u64 != outputs
        || sides.iter().try_fold(0u64, |sum, side| sum.checked_add(*side)) != Some(input[at])
    {
        return Err(format!("{input:?} in parts of {sides:?} along {at}"));
    }
    let part = |side| {
        let mut shape = input.to_vec();
        shape[at] = side;
        shape
    };
    Ok(sides.into_iter().map(part).collect())
}

/// A range of a dimension, as `Slice` has it.
pub(crate) struct Cut {
    pub dimension: usize,
    pub start: i64,
    pub step: i64,
    pub count: u64,
}

/// What `Slice` takes of each dimension that it names.
pub(crate) fn cuts(call: &Call<'_>) -> Result<Vec<Cut>, String> {
    let input = call.shape(0)?;
    let starts = call.ints_or_numbers("starts", 1)?.ok_or("its starts are missing")?;
    let ends = call.ints_or_numbers("ends", 2)?.ok_or("its ends are missing")?;
    let axes = call.ints_or_numbers("axes", 3)?;
    let steps = if call.optional(4).is_some() {
        Some(call.numbers(4)?)
    } else {
        None
    };
    if ends.len() != starts.len() || starts.len() > input.len() {
        return Err(format!("starts {starts:?} and ends {ends:?} of {input:?}"));
    }
    let cut = |at: usize| {
        let axis = axes
            .map_or(Some(at as i64), |axes| axes.get(at).copied())
            .ok_or("too few axes")?;
        let dimension = dimension(axis, input.len())?;
        let side = i64::try_from(input[dimension]).map_err(|_| "too large")?;
        let step = steps
            .map_or(Some(1), |steps| steps.get(at).copied())
            .ok_or("too few steps")?;
        // Backwards, one before the first is a place, too.
        let (least, most) = if step > 0 { (0, side) } else { (-1, side - 1) };
        let place = |place: i64| {
            let from_begin = if place < 0 { place.saturating_add(side) } else { place };
            from_begin.clamp(least, most)
        };
        let (start, end) = (place(starts[at]), place(ends[at]));
        let count = match step {
            0 => return Err("a step of 0".to_string()),
            1.. => (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs()),
            _ => (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs()),
        };
        Ok(Cut {
            dimension,
            start,
            step,
            count,
        })
    };
    let mut cuts: Vec<Cut> = Vec::with_capacity(starts.len());
    for at in 0..starts.len() {
        let cut = cut(at)?;
        if cuts.iter().any(|other| other.dimension == cut.dimension) {
            return Err(format!("a slice that names the dimension {} twice", cut.dimension));
        }
        cuts.push(cut);
    }
    Ok(cuts)
}

pub(super) fn slice(call: &Call<'_>) -> Result<Shape, String> {
    let mut output = call.shape(0)?.to_vec();
    for cut in cuts(call)? {
        output[cut.dimension] = cut.count;
    }
    Ok(output)
}

pub(super) fn gather(call: &Call<'_>) -> Result<Shape, String> {
    let (input, indices) = (call.shape(0)?, call.shape(1)?);
    let at = dimension(call.int("axis", 0), input.len())?;
    Ok([&input[..at], indices, &input[at + 1..]].concat())
}

pub(super) fn top_k(call: &Call<'_>) -> Result<Vec<Shape>, String> {
    let mut output = call.shape(0)?.to_vec();
    let at = dimension(call.int("axis", -1), output.len())?;
    let most = match call.optional(1) {
        Some(_) => *call.numbers(1)?.first().ok_or("how many is missing")?,
        None => call.int("k", 0),
    };
    output[at] = u64::try_from(most).map_err(|_| format!("the first {most}"))?;
    Ok(vec![output; 2])
}

/// The dimensions that `Shape` tells of.
pub(crate) fn shape_range(call: &Call<'_>) -> Result<Range<usize>, String> {
    let rank = call.shape(0)?.len() as i64;
    let place = |place: i64| if place < 0 { place.saturating_add(rank) } else { place }.clamp(0, rank) as usize;
    let (start, end) = (place(call.int("start", 0)), place(call.int("end", rank)));
    Ok(start..end.max(start))
}

/// How many numbers a `Range` has.
pub(super) fn range(call: &Call<'_>) -> Result<u64, String> {
    let number = |at: usize| {
        let number = call.input(at)?.literal().map(Literal::numbers);
        number
            .filter(|values| values.len() == 1)
            .map(|values| values[0])
            .ok_or_else(|| "its ends are not known before the network runs".to_string())
    };
    let (start, limit, delta) = (number(0)?, number(1)?, number(2)?);
    let count = ((limit - start) / delta).ceil();
    match count {
        count if count < 0.0 => Ok(0),
        count if count < 1e9 => Ok(count as u64),
        _ => Err(format!("a range from {start} to {limit} by {delta}")),
    }
}
