//! Layer normalization that is spelled out: `(x - mean x) / sqrt(mean (x - mean x)^2 + eps) * scale + bias`.

use super::Steps;
use crate::SpelledOut;
use crate::graph::ValueId;

pub(super) fn rewrite(steps: &mut Steps<'_>) {
    for at in 0..steps.places() {
        let Some((input, gone)) = normalized(steps, at) else {
            continue;
        };
        let is_over_last = gone.last().is_some_and(|mean| reduces_last(steps, *mean));
        let mut count = gone.len() as u32 + 1;
        steps.replace(&gone, at, at, "LayerNormalization", vec![input], Vec::new());
        for op in ["Mul", "Add"] {
            let behind = steps.get(at).and_then(|step| steps.sole_consumer(step.outputs[0]));
            let is_affine = |behind: &usize| {
                steps.is(*behind, &[op])
                    && steps.computed_and_constant(*behind).is_some()
                    && steps.is_alike(at, *behind)
            };
            if let Some(behind) = behind.filter(is_affine) {
                steps.absorb(at, behind);
                steps.set_bias(at);
                count += 1;
            }
        }
        // ONNX's operator normalizes the last dimensions alone.
        if !is_over_last {
            let around = "Sqrt".to_owned();
            steps.set_spelled_out(at, SpelledOut { around, steps: count });
        }
    }
}

/// Whether a step reduces the last dimension.
fn reduces_last(steps: &Steps<'_>, at: usize) -> bool {
    let last = |id: ValueId| steps.graph.facts[id].shape.last();
    let Some(step) = steps.get(at) else { return false };
    last(step.outputs[0]) == Some(&1) && last(step.inputs[0]) != Some(&1)
}

/// What a division normalizes, and the steps before it.
fn normalized(steps: &Steps<'_>, at: usize) -> Option<(ValueId, Vec<usize>)> {
    if !steps.is(at, &["Div"]) {
        return None;
    }
    let [centred, deviation] = steps.get(at)?.inputs[..] else {
        return None;
    };
    let before = |id: ValueId, ops: &[&str]| steps.producer_for_one(id).filter(|found| steps.is(*found, ops));
    let root = before(deviation, &["Sqrt"])?;
    let sum = before(steps.get(root)?.inputs[0], &["Add"])?;
    let mean = before(steps.computed_and_constant(sum)?.0, &["ReduceMean"])?;
    let square = before(steps.get(mean)?.inputs[0], &["Pow", "Mul"])?;
    let difference = steps.producer(centred).filter(|found| steps.is(*found, &["Sub"]))?;
    let squared = &steps.get(square)?.inputs;
    let is_square = steps.are_same(squared[0], centred)
        && match steps.is(square, &["Mul"]) {
            true => squared.len() == 2 && steps.are_same(squared[1], centred),
            false => squared.len() == 2 && steps.graph.facts[squared[1]].scalar() == Some(2.0),
        };
    // By the square, of which a product reads it twice, and by the division.
    let reads = squared.iter().filter(|id| steps.are_same(**id, centred)).count() + 1;
    if !is_square || !steps.is_read(centred, reads) {
        return None;
    }
    let [input, centre] = steps.get(difference)?.inputs[..] else {
        return None;
    };
    let first = before(centre, &["ReduceMean"])?;
    steps
        .are_same(steps.get(first)?.inputs[0], input)
        .then(|| (input, vec![root, sum, mean, square, difference, first]))
}
