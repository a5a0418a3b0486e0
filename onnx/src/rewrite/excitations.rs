//! Squeeze-and-excitation (Hu et al., 2018, arXiv:1709.01507): mean over height and width, two products with weights, a gate, a product.

use super::{SQUEEZE_EXCITE, Steps};
use crate::graph::ValueId;
use crate::shapes::windows::Window;

const GATES: [&str; 2] = ["Sigmoid", "HardSigmoid"];
const PRODUCTS: [&str; 3] = ["Conv", "Gemm", "MatMul"];
const ACTIVATIONS: [&str; 4] = ["Relu", "HardSwish", "Swish", "Clip"];

pub(super) fn rewrite(steps: &mut Steps<'_>) {
    for at in 0..steps.places() {
        let Some([a, b]) = factors(steps, at) else { continue };
        let found = [(a, b), (b, a)]
            .into_iter()
            .find_map(|(input, gate)| Some((input, excitation(steps, input, gate)?)));
        let Some((input, gone)) = found else { continue };
        let parts = gone
            .iter()
            .chain([&at])
            .filter_map(|part| steps.get(*part).cloned())
            .collect();
        // Where its first step was, before which its input is known.
        let Some((first, between)) = gone.split_first() else {
            continue;
        };
        steps.replace(between, at, *first, SQUEEZE_EXCITE, vec![input], parts);
    }
}

/// The two computed values that a step multiplies.
fn factors(steps: &Steps<'_>, at: usize) -> Option<[ValueId; 2]> {
    let [a, b] = steps.get(at)?.inputs[..] else { return None };
    (steps.is(at, &["Mul"]) && !steps.is_constant(a) && !steps.is_constant(b)).then_some([a, b])
}

/// Whether a pool has one window, as large as what it reads.
fn covers_all(steps: &Steps<'_>, at: usize) -> bool {
    let Some(step) = steps.get(at) else { return false };
    let window = Window::of(&steps.graph.call(&steps.graph.nodes[step.node]));
    let Ok(Some(Window { kernel, output, .. })) = window else {
        return false;
    };
    let read = steps.graph.facts[step.inputs[0]].shape.get(2..);
    read == Some(&kernel[..]) && output.iter().skip(2).all(|side| *side == 1)
}

/// The steps that compute `gate` from the mean of `input`, in their order.
fn excitation(steps: &Steps<'_>, input: ValueId, gate: ValueId) -> Option<Vec<usize>> {
    let before = |id: ValueId, ops: &[&str]| steps.producer_for_one(id).filter(|found| steps.is(*found, ops));
    let read_by = |at: usize| steps.get(at).map(|step| step.inputs[0]);
    let mut found = vec![before(gate, &GATES)?];
    found.push(before(read_by(found[0])?, &PRODUCTS)?);
    let mut value = read_by(found[1])?;
    if let Some(activation) = before(value, &ACTIVATIONS) {
        found.push(activation);
        value = read_by(activation)?;
    }
    let reduce = before(value, &PRODUCTS)?;
    let squeeze = before(read_by(reduce)?, &["GlobalAveragePool", "ReduceMean", "AveragePool"])?;
    if steps.is(squeeze, &["AveragePool"]) && !covers_all(steps, squeeze) {
        return None;
    }
    found.extend([reduce, squeeze]);
    let squeezed = read_by(squeeze)?;
    found.reverse();
    let (from, to) = (&steps.graph.facts[input].shape, &steps.graph.facts[gate].shape);
    let per_channel = from.len() == 4 && to.len() == 4 && from[..2] == to[..2] && to[2..] == [1, 1];
    (steps.are_same(squeezed, input) && per_channel).then_some(found)
}
