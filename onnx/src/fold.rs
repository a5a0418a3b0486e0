//! What is computed from constants alone, where it is short: most of it ends in shapes.

use crate::call::{Call, dimension};
use crate::fact::{Literal, MOST_KEPT, Shape};
use crate::messages::{BOOL, INT32, INT64};
use crate::shapes::selection;
use crate::tensor;

/// The values of a node's first output, where they follow from what is known and are few.
pub(crate) fn literal(call: &Call<'_>, output: &Shape) -> Option<Literal> {
    let count = output
        .iter()
        .try_fold(1usize, |count, side| count.checked_mul(usize::try_from(*side).ok()?))?;
    if count > MOST_KEPT {
        return None;
    }
    let values = match call.op() {
        "Shape" => {
            let sides = &call.shape(0).ok()?[selection::shape_range(call).ok()?];
            return Some(Literal::Ints(sides.iter().map(|side| *side as i64).collect()));
        }
        "Size" => {
            let all = call.shape(0).ok()?.iter().product::<u64>();
            return Some(Literal::Ints(vec![all as i64]));
        }
        "ConstantOfShape" => filled(call, count)?,
        "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => call.input(0).ok()?.literal()?.clone(),
        "Cast" => cast(call)?,
        "Concat" if output.len() == 1 => concat(call)?,
        "Gather" => gather(call)?,
        "Slice" => slice(call, output)?,
        "Transpose" => transpose(call, output)?,
        "Expand" if call.input(0).ok()?.scalar().is_some() => repeated(call.input(0).ok()?.literal()?, count),
        "Range" => range(call, count)?,
        "ReduceProd" => match call.numbers(0) {
            Ok(values) if output.iter().product::<u64>() == 1 => Literal::Ints(vec![
                values.iter().try_fold(1i64, |all, value| all.checked_mul(*value))?,
            ]),
            _ => return None,
        },
        "Where" => choice(call, count)?,
        "Clip" => clipped(call)?,
        "Add" | "Sub" | "Mul" | "Div" | "Min" | "Max" | "Pow" | "Equal" | "Mod" => binary(call, count)?,
        "Neg" | "Not" | "Floor" | "Ceil" | "Sqrt" | "Reciprocal" => unary(call)?,
        _ => return None,
    };
    (values.len() == count).then_some(values)
}

fn filled(call: &Call<'_>, count: usize) -> Option<Literal> {
    let value = match call.attribute("value").and_then(|attribute| attribute.t.as_ref()) {
        Some(tensor) => tensor::read(tensor).ok()?.literal()?.clone(),
        None => Literal::Floats(vec![0.0]),
    };
    (value.len() == 1).then(|| repeated(&value, count))
}

/// One value so many times.
fn repeated(value: &Literal, count: usize) -> Literal {
    match value {
        Literal::Ints(values) => Literal::Ints(vec![values[0]; count]),
        Literal::Floats(values) => Literal::Floats(vec![values[0]; count]),
    }
}

fn cast(call: &Call<'_>) -> Option<Literal> {
    let literal = call.input(0).ok()?.literal()?;
    let to = i32::try_from(call.int("to", 0)).ok()?;
    Some(match (literal, to) {
        (Literal::Floats(values), INT32 | INT64) => Literal::Ints(values.iter().map(|value| *value as i64).collect()),
        (Literal::Floats(values), BOOL) => Literal::Ints(values.iter().map(|value| i64::from(*value != 0.0)).collect()),
        (Literal::Ints(_), INT32 | INT64 | BOOL) | (Literal::Floats(_), _) => literal.clone(),
        (Literal::Ints(_), _) => Literal::Floats(literal.numbers()),
    })
}

fn concat(call: &Call<'_>) -> Option<Literal> {
    let parts: Vec<&Literal> = call
        .inputs
        .iter()
        .map(|input| (*input)?.literal())
        .collect::<Option<_>>()?;
    let ints = parts.iter().map(|part| match part {
        Literal::Ints(values) => Some(values.as_slice()),
        Literal::Floats(_) => None,
    });
    match ints.collect::<Option<Vec<_>>>() {
        Some(parts) => Some(Literal::Ints(parts.concat())),
        None => Some(Literal::Floats(parts.iter().flat_map(|part| part.numbers()).collect())),
    }
}

/// Values of a list at some places.
fn gather(call: &Call<'_>) -> Option<Literal> {
    let (input, places) = (call.input(0).ok()?, call.numbers(1).ok()?);
    if input.shape.len() != 1 {
        return None;
    }
    let places = places
        .iter()
        .map(|place| dimension(*place, input.shape[0] as usize).ok());
    Some(taken(input.literal()?, &places.collect::<Option<Vec<_>>>()?))
}

fn slice(call: &Call<'_>, output: &Shape) -> Option<Literal> {
    let input = call.input(0).ok()?;
    let mut strides: Vec<i64> = strides(&input.shape);
    let mut first = 0i64;
    for cut in selection::cuts(call).ok()? {
        first = cut.start.checked_mul(strides[cut.dimension])?.checked_add(first)?;
        strides[cut.dimension] = strides[cut.dimension].checked_mul(cut.step)?;
    }
    walked(input.literal()?, first, &strides, output)
}

fn transpose(call: &Call<'_>, output: &Shape) -> Option<Literal> {
    let input = call.input(0).ok()?;
    let reversed: Vec<i64> = (0..output.len() as i64).rev().collect();
    let order = call.ints("perm").unwrap_or(&reversed);
    let strides = strides(&input.shape);
    let moved = order
        .iter()
        .map(|axis| Some(strides[dimension(*axis, strides.len()).ok()?]));
    walked(input.literal()?, 0, &moved.collect::<Option<Vec<_>>>()?, output)
}

/// How far apart neighbours of each dimension lie, in row-major order; of a value that has few elements.
fn strides(shape: &[u64]) -> Vec<i64> {
    let mut strides = vec![1i64; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at].saturating_mul(i64::try_from(shape[at]).unwrap_or(i64::MAX));
    }
    strides
}

/// The elements of a value that lie `strides` apart, from the place `first` on.
fn walked(literal: &Literal, first: i64, strides: &[i64], shape: &[u64]) -> Option<Literal> {
    let mut places = vec![first];
    for (stride, side) in strides.iter().zip(shape).filter(|(_, side)| **side != 1) {
        let along = |place: &i64| {
            (0..*side as i64)
                .map(|step| place.checked_add(step.checked_mul(*stride)?))
                .collect::<Vec<_>>()
        };
        places = places.iter().flat_map(along).collect::<Option<_>>()?;
    }
    let places = places.into_iter().map(|place| usize::try_from(place).ok());
    let places = places.collect::<Option<Vec<_>>>()?;
    places
        .iter()
        .all(|at| *at < literal.len())
        .then(|| taken(literal, &places))
}

fn taken(literal: &Literal, places: &[usize]) -> Literal {
    match literal {
        Literal::Ints(values) => Literal::Ints(places.iter().map(|at| values[*at]).collect()),
        Literal::Floats(values) => Literal::Floats(places.iter().map(|at| values[*at]).collect()),
    }
}

fn range(call: &Call<'_>, count: usize) -> Option<Literal> {
    let (start, delta) = (call.input(0).ok()?.literal()?, call.input(2).ok()?.literal()?);
    Some(match (start, delta) {
        (Literal::Ints(start), Literal::Ints(delta)) => {
            let value = |at: usize| delta.first()?.checked_mul(at as i64)?.checked_add(*start.first()?);
            Literal::Ints((0..count).map(value).collect::<Option<_>>()?)
        }
        (start, delta) => {
            let (start, delta) = (*start.numbers().first()?, *delta.numbers().first()?);
            Literal::Floats((0..count).map(|at| start + delta * at as f64).collect())
        }
    })
}

fn choice(call: &Call<'_>, count: usize) -> Option<Literal> {
    let literal = |at: usize| call.input(at).ok()?.literal();
    let (Literal::Ints(conditions), Literal::Ints(yes), Literal::Ints(no)) = (literal(0)?, literal(1)?, literal(2)?)
    else {
        return None;
    };
    let chosen = |at: usize| {
        let values = if *element(conditions, at, count)? != 0 { yes } else { no };
        element(values, at, count).copied()
    };
    Some(Literal::Ints((0..count).map(chosen).collect::<Option<_>>()?))
}

/// An element of a value that has as many as there are, or one for all of them.
fn element<T>(values: &[T], at: usize, count: usize) -> Option<&T> {
    match values.len() {
        1 => values.first(),
        length if length == count => values.get(at),
        _ => None,
    }
}

fn binary(call: &Call<'_>, count: usize) -> Option<Literal> {
    let literal = |at: usize| call.input(at).ok()?.literal();
    let op = call.op();
    if let (Literal::Ints(a), Literal::Ints(b)) = (literal(0)?, literal(1)?) {
        let compute = |at: usize| {
            let (a, b) = (*element(a, at, count)?, *element(b, at, count)?);
            match op {
                "Add" => a.checked_add(b),
                "Sub" => a.checked_sub(b),
                "Mul" => a.checked_mul(b),
                "Div" => a.checked_div(b),
                "Mod" => remainder(a, b, call.int("fmod", 0) != 0),
                "Min" => Some(a.min(b)),
                "Max" => Some(a.max(b)),
                "Equal" => Some(i64::from(a == b)),
                _ => None,
            }
        };
        return Some(Literal::Ints((0..count).map(compute).collect::<Option<_>>()?));
    }
    let (a, b) = (literal(0)?.numbers(), literal(1)?.numbers());
    let compute = |at: usize| {
        let (a, b) = (*element(&a, at, count)?, *element(&b, at, count)?);
        match op {
            "Add" => Some(a + b),
            "Sub" => Some(a - b),
            "Mul" => Some(a * b),
            "Div" => Some(a / b),
            "Min" => Some(a.min(b)),
            "Max" => Some(a.max(b)),
            "Pow" => Some(a.powf(b)),
            _ => None,
        }
    };
    Some(Literal::Floats((0..count).map(compute).collect::<Option<_>>()?))
}

fn clipped(call: &Call<'_>) -> Option<Literal> {
    // A bound that is there and not known is none to guess.
    let bound = |at: usize, name: &str, none: f64| match call.optional(at) {
        Some(fact) => fact.scalar(),
        None => Some(call.attribute(name).map_or(none, |attribute| f64::from(attribute.f))),
    };
    let (least, most) = (bound(1, "min", f64::NEG_INFINITY)?, bound(2, "max", f64::INFINITY)?);
    Some(match call.input(0).ok()?.literal()? {
        Literal::Ints(values) => {
            let clip = |value: &i64| (*value).max(least as i64).min(most as i64);
            Literal::Ints(values.iter().map(clip).collect())
        }
        Literal::Floats(values) => Literal::Floats(values.iter().map(|value| value.max(least).min(most)).collect()),
    })
}

/// What is left of a division: of the sign of what is divided where that is said, else of that by which it is.
fn remainder(a: i64, b: i64, is_signed_as_divided: bool) -> Option<i64> {
    let left = a.checked_rem(b)?;
    let is_other = left != 0 && (left < 0) != (b < 0);
    Some(if is_other && !is_signed_as_divided {
        left + b
    } else {
        left
    })
}

fn unary(call: &Call<'_>) -> Option<Literal> {
    let literal = call.input(0).ok()?.literal()?;
    if let (Literal::Ints(values), "Neg") = (literal, call.op()) {
        return Some(Literal::Ints(
            values.iter().map(|value| value.checked_neg()).collect::<Option<_>>()?,
        ));
    }
    if let (Literal::Ints(values), "Not") = (literal, call.op()) {
        return Some(Literal::Ints(
            values.iter().map(|value| i64::from(*value == 0)).collect(),
        ));
    }
    let compute: fn(f64) -> f64 = match call.op() {
        "Neg" => |x| -x,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Sqrt" => f64::sqrt,
        "Not" => return None,
        _ => f64::recip,
    };
    Some(Literal::Floats(literal.numbers().into_iter().map(compute).collect()))
}
