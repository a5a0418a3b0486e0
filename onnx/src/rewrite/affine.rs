//! Scales and biases that become part of the weights before them, and pads of the convolution behind them.

use super::Steps;

const WEIGHTED: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

pub(super) fn rewrite(steps: &mut Steps<'_>) {
    for at in 0..steps.places() {
        if let Some(weighted) = folds_into(steps, at) {
            steps.absorb(weighted, at);
            steps.set_bias(weighted);
        } else if let Some(convolution) = pads(steps, at) {
            steps.skip(at, convolution);
        }
    }
}

/// The step whose weights a scale or a bias becomes part of.
fn folds_into(steps: &Steps<'_>, at: usize) -> Option<usize> {
    let step = steps.get(at)?;
    let (input, constants) = match step.op.as_str() {
        "BatchNormalization" => (step.inputs[0], 0),
        "Add" | "Sub" | "Mul" | "Div" => {
            let (input, constant) = steps.computed_and_constant(at)?;
            (input, steps.graph.facts[constant].shape.iter().product::<u64>())
        }
        _ => return None,
    };
    let weighted = steps.producer_for_one(input)?;
    let before = steps.get(weighted)?;
    let has_weights = before.inputs.get(1).is_some_and(|id| steps.is_constant(*id));
    let shape = &steps.graph.facts[before.outputs[0]].shape;
    let channels = if before.op.starts_with("Conv") {
        shape.get(1)
    } else {
        shape.last()
    };
    let fits = constants <= 1 || Some(&constants) == channels;
    (WEIGHTED.contains(&before.op.as_str()) && has_weights && fits).then_some(weighted)
}

/// The convolution that zeros around an input can be left to.
fn pads(steps: &Steps<'_>, at: usize) -> Option<usize> {
    if !steps.is(at, &["Pad"]) {
        return None;
    }
    let step = steps.get(at)?;
    let mode = steps.graph.call(&steps.graph.nodes[step.node]).text("mode");
    let convolution = steps.sole_consumer(step.outputs[0])?;
    let is_input = steps
        .get(convolution)?
        .inputs
        .first()
        .is_some_and(|id| steps.are_same(*id, step.outputs[0]));
    (matches!(mode, "" | "constant") && is_input && steps.is(convolution, &["Conv"])).then_some(convolution)
}
