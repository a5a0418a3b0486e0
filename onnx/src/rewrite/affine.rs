//! Scales and biases that become part of the weights before them, and pads of the convolution behind them.

use super::Steps;

const WEIGHTED: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

pub(super) fn rewrite(steps: &mut Steps<'_>) {
    for at in 0..steps.places() {
        if let Some(weighted) = folds_into(steps, at) {
            let shifts = !steps.is(at, &["Mul", "Div"]);
            steps.absorb(weighted, at);
            if shifts {
                steps.set_bias(weighted);
            }
        } else if let Some(convolution) = pads(steps, at) {
            steps.skip(at, convolution);
        }
    }
}

/// The step whose weights a scale or a bias becomes part of.
fn folds_into(steps: &Steps<'_>, at: usize) -> Option<usize> {
    let step = steps.get(at)?;
    let (input, constant) = match step.op.as_str() {
        "BatchNormalization" => (step.inputs[0], None),
        "Add" | "Sub" | "Mul" => {
            let (input, constant) = steps.computed_and_constant(at)?;
            (input, Some(constant))
        }
        // A constant that is divided is no scale.
        "Div" if !steps.is_constant(step.inputs[0]) => {
            let (input, constant) = steps.computed_and_constant(at)?;
            (input, Some(constant))
        }
        _ => return None,
    };
    let weighted = steps.producer_for_one(input)?;
    let before = steps.get(weighted)?;
    let has_weights = before.inputs.get(1).is_some_and(|id| steps.is_constant(*id));
    let rank = steps.graph.facts[before.outputs[0]].shape.len();
    let channels = match before.op.starts_with("Conv") {
        true => 1,
        false => rank - 1,
    };
    let fits = match constant {
        Some(constant) => is_along(&steps.graph.facts[constant].shape, channels, rank),
        // It normalizes along the second dimension.
        None => channels == 1,
    };
    let is_whole = steps.is_alike(weighted, at);
    (WEIGHTED.contains(&before.op.as_str()) && has_weights && fits && is_whole).then_some(weighted)
}

/// Whether a constant, broadcast to a value of so many dimensions, differs along one of them at most and makes it no larger.
fn is_along(constant: &[u64], dimension: usize, rank: usize) -> bool {
    let Some(first) = rank.checked_sub(constant.len()) else {
        return false;
    };
    let others = constant.iter().enumerate().filter(|(at, _)| first + at != dimension);
    others.into_iter().all(|(_, side)| *side == 1)
}

/// The convolution that zeros around an input can be left to.
fn pads(steps: &Steps<'_>, at: usize) -> Option<usize> {
    if !steps.is(at, &["Pad"]) {
        return None;
    }
    let step = steps.get(at)?;
    let call = steps.graph.call(&steps.graph.nodes[step.node]);
    let value = match call.optional(2) {
        Some(value) => value.scalar(),
        None => Some(f64::from(call.attribute("value").map_or(0.0, |value| value.f))),
    };
    let (before, behind) = (call.shape(0).ok()?, &steps.graph.facts[step.outputs[0]].shape);
    let is_around = behind.len() > 2 && behind[..2] == before[..2] && before.iter().zip(behind).all(|(a, b)| a <= b);
    let is_zero = matches!(call.text("mode"), "" | "constant") && value == Some(0.0);
    let convolution = steps.sole_consumer(step.outputs[0])?;
    let is_input = steps
        .get(convolution)?
        .inputs
        .first()
        .is_some_and(|id| steps.are_same(*id, step.outputs[0]));
    (is_zero && is_around && is_input && steps.is(convolution, &["Conv"])).then_some(convolution)
}
