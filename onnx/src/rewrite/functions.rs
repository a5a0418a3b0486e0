//! Activations that are spelled out: `x * sigmoid(x)`; `x * clip(x + 3, 0, 6) / 6`; `x / 2 * (1 + erf(x / sqrt 2))`, `tanh` of a
//! multiple of `x + c x^3` in the place of `erf`, or a `sigmoid` of a multiple of `x` for all of that.

use std::collections::HashSet;

use super::Steps;
use crate::SpelledOut;
use crate::graph::ValueId;

const ARITHMETIC: [&str; 4] = ["Add", "Sub", "Mul", "Div"];

/// What is known of the steps around a function such as `Sigmoid`.
struct Around {
    /// What the function and the product behind it both read.
    base: ValueId,
    /// All steps but the function and the last.
    between: Vec<usize>,
    last: usize,
    /// Whether what comes out was multiplied by `base`.
    gates: bool,
    /// Steps with a constant, behind the function.
    scales: usize,
}

pub(super) fn rewrite(steps: &mut Steps<'_>) {
    for at in 0..steps.places() {
        let Some(step) = steps.get(at) else { continue };
        let op = step.op.clone();
        if !matches!(op.as_str(), "Sigmoid" | "HardSigmoid" | "Clip" | "Erf" | "Tanh") {
            continue;
        }
        let Some(mut input) = step.inputs.first().copied() else {
            continue;
        };
        let mut before = steps.producer_for_one(input);
        // ReLU6 is written as ReLU and a clip.
        if let Some(relu) = before.filter(|before| op == "Clip" && steps.is(*before, &["Relu"])) {
            input = steps.get(relu).map_or(input, |relu| relu.inputs[0]);
            steps.skip(relu, at);
            before = steps.producer_for_one(input);
        }
        let shifted = before.filter(|before| is_scaled(steps, *before));
        let name = match op.as_str() {
            "Sigmoid" | "HardSigmoid" => {
                let gated = |base: ValueId, before: Vec<usize>| {
                    let around = follow(steps, at, base, before, false)?;
                    (around.gates && around.scales == 0).then_some(around)
                };
                let name = if op == "Sigmoid" { "Swish" } else { "HardSwish" };
                // It stands for GELU, and takes as long (ONNX Runtime: three times as long as the gate without a scale).
                let scaled = || {
                    let scale = shifted.filter(|scale| op == "Sigmoid" && steps.is(*scale, &["Mul"]))?;
                    Some(("Gelu", gated(steps.computed_and_constant(scale)?.0, vec![scale])?))
                };
                let plain = gated(input, Vec::new()).map(|around| (name, around));
                plain.or_else(scaled)
            }
            "Tanh" => mish(steps, at, before)
                .map(|around| ("Mish", around))
                .or_else(|| Some(("Gelu", tanh_gelu(steps, at, shifted?)?))),
            _ => shifted.and_then(|shift| {
                let base = steps.computed_and_constant(shift)?.0;
                let around = follow(steps, at, base, vec![shift], true)?;
                match (op.as_str(), around.gates, around.scales) {
                    ("Erf", true, 1..) => Some(("Gelu", around)),
                    ("Clip", true, 1..) => Some(("HardSwish", around)),
                    ("Clip", false, 1..) => Some(("HardSigmoid", around)),
                    _ => None,
                }
            }),
        };
        if let Some((name, around)) = name {
            let all: HashSet<usize> = around.between.iter().copied().chain([around.last, at]).collect();
            let count = all.len() as u32;
            steps.replace(&around.between, around.last, at, name, vec![around.base], Vec::new());
            let around = if name == "Mish" { "Softplus".to_owned() } else { op };
            steps.set_spelled_out(at, SpelledOut { around, steps: count });
        }
    }
}

/// `x * tanh(softplus(x))`
fn mish(steps: &Steps<'_>, tanh: usize, before: Option<usize>) -> Option<Around> {
    let softplus = before.filter(|before| steps.is(*before, &["Softplus"]))?;
    let base = steps.get(softplus)?.inputs[0];
    let around = follow(steps, tanh, base, vec![softplus], false)?;
    (around.gates && around.scales == 0).then_some(around)
}

/// `x / 2 * (1 + tanh(k (x + c x^3)))`; `scale` is the step that multiplies by `k`.
fn tanh_gelu(steps: &Steps<'_>, tanh: usize, scale: usize) -> Option<Around> {
    let plus_one = steps.sole_consumer(*steps.get(tanh)?.outputs.first()?)?;
    if !steps.is(scale, &["Mul"]) || !steps.is(plus_one, &["Add"]) || !is_scaled(steps, plus_one) {
        return None;
    }
    let sum = steps.producer_for_one(steps.computed_and_constant(scale)?.0)?;
    let [a, b] = steps.get(sum).filter(|_| steps.is(sum, &["Add"]))?.inputs[..] else {
        return None;
    };
    let (base, mut between) = [(a, b), (b, a)]
        .into_iter()
        .find_map(|(base, cubic)| Some((base, multiple_of_cube(steps, cubic, base)?)))?;
    between.extend([sum, scale]);
    let around = follow(steps, tanh, base, between, true)?;
    (around.gates && around.scales > 0).then_some(around)
}

/// The steps that compute `c x^3`, where a value is that.
fn multiple_of_cube(steps: &Steps<'_>, value: ValueId, base: ValueId) -> Option<Vec<usize>> {
    let is_multiple = |scale: &usize| steps.is(*scale, &["Mul"]) && is_scaled(steps, *scale);
    let scale = steps.producer_for_one(value).filter(is_multiple)?;
    let cube = steps.producer_for_one(steps.computed_and_constant(scale)?.0)?;
    let [a, b] = steps.get(cube)?.inputs[..] else {
        return None;
    };
    if steps.is(cube, &["Pow"]) {
        let is_cube = steps.are_same(a, base) && steps.graph.facts[b].scalar() == Some(3.0);
        return is_cube.then_some(vec![cube, scale]);
    }
    let other = if steps.are_same(a, base) { b } else { a };
    let square = steps.producer_for_one(other)?;
    let both = &steps.get(square)?.inputs;
    let is_square = steps.is(square, &["Mul"]) && both.len() == 2 && both.iter().all(|id| steps.are_same(*id, base));
    let is_cube = steps.is(cube, &["Mul"]) && (steps.are_same(a, base) || steps.are_same(b, base));
    (is_cube && is_square).then_some(vec![square, cube, scale])
}

/// Whether a step shifts or scales by one constant.
fn is_scaled(steps: &Steps<'_>, at: usize) -> bool {
    let by_one = |(_, constant): (ValueId, ValueId)| steps.graph.facts[constant].shape.iter().product::<u64>() == 1;
    // A constant that is divided is no scale.
    let is_inverse = steps.is(at, &["Div"]) && steps.get(at).is_some_and(|step| steps.is_constant(step.inputs[0]));
    steps.is(at, &ARITHMETIC) && !is_inverse && steps.computed_and_constant(at).is_some_and(by_one)
}

/// Follows a function's value through shifts, scales and one product with `base`; `None` where nothing of that follows. `to_the_end`: also
/// through those that come after the product.
fn follow(steps: &Steps<'_>, at: usize, base: ValueId, mut between: Vec<usize>, to_the_end: bool) -> Option<Around> {
    let (mut last, mut gates, mut scales) = (at, false, 0);
    let mut path = Vec::new();
    while !gates || to_the_end {
        let value = *steps.get(last)?.outputs.first()?;
        let Some(next) = steps.sole_consumer(value) else { break };
        if is_scaled(steps, next) {
            scales += 1;
        } else if let Some(half) = (!gates).then(|| product(steps, next, value, base)).flatten() {
            gates = true;
            if let Some(half) = half {
                between.push(half);
                scales += 1;
            }
        } else {
            break;
        }
        path.push(next);
        last = next;
    }
    path.pop()?;
    between.extend(path);
    Some(Around {
        base,
        between,
        last,
        gates,
        scales,
    })
}

/// Whether a step multiplies a value by `base`, or by a multiple of it, and then the step that computes that.
fn product(steps: &Steps<'_>, at: usize, value: ValueId, base: ValueId) -> Option<Option<usize>> {
    if !steps.is(at, &["Mul"]) {
        return None;
    }
    let [a, b] = steps.get(at)?.inputs[..] else { return None };
    let other = if steps.are_same(a, value) { b } else { a };
    if steps.are_same(other, base) {
        return Some(None);
    }
    let half = steps.producer_for_one(other)?;
    let (of, _) = steps.computed_and_constant(half)?;
    (is_scaled(steps, half) && steps.are_same(of, base)).then_some(Some(half))
}
