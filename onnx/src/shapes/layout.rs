//! Operators that arrange the same values otherwise, or stretch them.

use super::elementwise::broadcast;
use crate::call::{Call, dimension};
use crate::fact::{Literal, MOST_DIMENSIONS, Shape, elements};

/// Sides that a constant tells.
pub(super) fn sides(values: &[i64]) -> Result<Shape, String> {
    let side = |value: &i64| u64::try_from(*value).map_err(|_| format!("a side of {value}"));
    values.iter().map(side).collect()
}

pub(super) fn reshape(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let wanted = call.ints_or_numbers("shape", 1)?.ok_or("its shape is missing")?;
    let keeps_zeros = call.int("allowzero", 0) != 0;
    let mut output = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (at, side) in wanted.iter().enumerate() {
        output.push(match side {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if !keeps_zeros => *input.get(at).ok_or_else(|| format!("{wanted:?} of {input:?}"))?,
            0.. => *side as u64,
            _ => return Err(format!("{wanted:?} is no shape")),
        });
    }
    let (all, known) = (elements(input)?, elements(&output)?);
    if let Some(at) = open {
        output[at] = all.checked_div(known).unwrap_or(0);
    }
    if elements(&output)? != all {
        return Err(format!("{input:?} does not fit into {wanted:?}"));
    }
    Ok(output)
}

pub(super) fn flatten(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let axis = call.int("axis", 1);
    let at = if axis == input.len() as i64 {
        input.len()
    } else {
        dimension(axis, input.len())?
    };
    Ok(vec![elements(&input[..at])?, elements(&input[at..])?])
}

pub(super) fn transpose(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let Some(order) = call.ints("perm") else {
        return Ok(input.iter().rev().copied().collect());
    };
    let mut seen = vec![false; input.len()];
    let mut side = |axis: &i64| {
        let at = dimension(*axis, input.len())?;
        match std::mem::replace(&mut seen[at], true) {
            false => Ok(input[at]),
            true => Err(format!("the order {order:?} names {axis} twice")),
        }
    };
    let output: Shape = order.iter().map(&mut side).collect::<Result<_, String>>()?;
    match output.len() == input.len() {
        true => Ok(output),
        false => Err(format!("the order {order:?} of {} dimensions", input.len())),
    }
}

pub(super) fn squeeze(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let gone: Vec<usize> = match call.ints_or_numbers("axes", 1)? {
        Some(axes) => axes
            .iter()
            .map(|axis| dimension(*axis, input.len()))
            .collect::<Result<_, _>>()?,
        None => (0..input.len()).filter(|at| input[*at] == 1).collect(),
    };
    if let Some(at) = gone.iter().find(|at| input[**at] != 1) {
        return Err(format!("the dimension {at} of {input:?} is not of side 1"));
    }
    let stays = |(at, side): (usize, &u64)| (!gone.contains(&at)).then_some(*side);
    Ok(input.iter().enumerate().filter_map(stays).collect())
}

pub(super) fn unsqueeze(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let axes = call.ints_or_numbers("axes", 1)?.ok_or("its axes are missing")?;
    let rank = input.len() + axes.len();
    if rank > MOST_DIMENSIONS {
        return Err(format!(
            "a value of {rank} dimensions; at most {MOST_DIMENSIONS} are read"
        ));
    }
    let new = axes
        .iter()
        .map(|axis| dimension(*axis, rank))
        .collect::<Result<Vec<_>, _>>()?;
    let mut old = input.iter();
    let output: Shape = (0..rank)
        .filter_map(|at| {
            if new.contains(&at) {
                Some(1)
            } else {
                old.next().copied()
            }
        })
        .collect();
    match output.len() == rank {
        true => Ok(output),
        false => Err(format!("the axes {axes:?} name one twice")),
    }
}

pub(super) fn expand(call: &Call<'_>) -> Result<Shape, String> {
    broadcast(call.shape(0)?, &sides(call.numbers(1)?)?)
}

pub(super) fn tile(call: &Call<'_>) -> Result<Shape, String> {
    let (input, repeats) = (call.shape(0)?, sides(call.numbers(1)?)?);
    if input.len() != repeats.len() {
        return Err(format!("{repeats:?} repeats of {input:?}"));
    }
    let sides = input.iter().zip(&repeats);
    sides
        .map(|(side, times)| side.checked_mul(*times).ok_or_else(|| "too large".into()))
        .collect()
}

/// Between channels and blocks of pixels.
pub(super) fn blocks(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let (&[batch, channels, height, width], side @ 1..=4096) = (input, call.int("blocksize", 0)) else {
        return Err(format!("blocks of {} in {input:?}", call.int("blocksize", 0)));
    };
    let side = side as u64;
    if call.op() == "DepthToSpace" {
        if !channels.is_multiple_of(side * side) {
            return Err(format!("{channels} channels do not make blocks of {side}"));
        }
        return Ok(vec![
            batch,
            channels / (side * side),
            height.saturating_mul(side),
            width.saturating_mul(side),
        ]);
    }
    if !height.is_multiple_of(side) || !width.is_multiple_of(side) {
        return Err(format!("{height} x {width} does not make blocks of {side}"));
    }
    Ok(vec![
        batch,
        channels.saturating_mul(side * side),
        height / side,
        width / side,
    ])
}

pub(super) fn pad(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let pads = call.ints_or_numbers("pads", 1)?.ok_or("its pads are missing")?;
    let axes: Vec<usize> = match call.optional(3) {
        Some(_) => call
            .numbers(3)?
            .iter()
            .map(|axis| dimension(*axis, input.len()))
            .collect::<Result<_, _>>()?,
        None => (0..input.len()).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("pads {pads:?} of {} dimensions", axes.len()));
    }
    let mut output = input.to_vec();
    for (place, at) in axes.iter().enumerate() {
        let side = i128::from(output[*at]) + i128::from(pads[place]) + i128::from(pads[place + axes.len()]);
        output[*at] = u64::try_from(side).map_err(|_| format!("pads {pads:?} of {input:?}"))?;
    }
    Ok(output)
}

pub(super) fn resize(call: &Call<'_>) -> Result<Shape, String> {
    let input = call.shape(0)?;
    let axes: Vec<usize> = match call.ints("axes") {
        Some(axes) => axes
            .iter()
            .map(|axis| dimension(*axis, input.len()))
            .collect::<Result<_, _>>()?,
        None => (0..input.len()).collect(),
    };
    let mut output = input.to_vec();
    // The last input tells the sides; the one before it, or an attribute of old opsets, how many times as large they become.
    if call.optional(3).is_some() {
        let wanted = sides(call.numbers(3)?)?;
        if wanted.len() != axes.len() {
            return Err(format!("the sides {wanted:?} of {} dimensions", axes.len()));
        }
        axes.iter().zip(wanted).for_each(|(at, side)| output[*at] = side);
        return Ok(output);
    }
    let attribute: Option<Vec<f64>> = call
        .attribute("scales")
        .map(|scales| scales.floats.iter().copied().map(f64::from).collect());
    let input_at = if call.inputs.len() == 2 { 1 } else { 2 };
    let scales = match (attribute, call.optional(input_at).and_then(|fact| fact.literal())) {
        (Some(scales), _) => scales,
        (None, Some(literal @ Literal::Floats(_))) => literal.numbers(),
        (None, _) => return Err("how large it becomes is not known before the network runs".into()),
    };
    if scales.len() != axes.len() {
        return Err(format!("the scales {scales:?} of {} dimensions", axes.len()));
    }
    for (at, scale) in axes.iter().zip(&scales) {
        let side = output[*at] as f64 * scale;
        if !(0.0..1e9).contains(&side) {
            return Err(format!("the scales {scales:?} of {input:?}"));
        }
        output[*at] = side.floor() as u64;
    }
    Ok(output)
}
