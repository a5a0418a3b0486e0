//! What the table does not tell of a step: a window that is not square or has gaps, an interpolation or constants that are not the usual ones.

use crate::call::Call;
use crate::graph::Graph;
use crate::rewrite::{SQUEEZE_EXCITE, Step};
use crate::shapes::windows::Window;

/// How far a constant may lie from the usual one: it is written in float32.
const NEAR: f64 = 1e-6;

/// In what a step costs otherwise than its table says, in words.
pub(crate) fn of(graph: &Graph, step: &Step) -> Option<&'static str> {
    let is_cubic = || graph.call(&graph.nodes[step.node]).text("mode") == "cubic";
    match step.op.as_str() {
        "Resize" | "Upsample" if is_cubic() => Some("cubic"),
        _ => window(graph, step),
    }
}

fn window(graph: &Graph, step: &Step) -> Option<&'static str> {
    let Window { kernel, slide, .. } = Window::of(&graph.call(&graph.nodes[step.node])).ok()??;
    let alike = |sides: &[u64]| sides.windows(2).all(|pair| pair[0] == pair[1]);
    if slide.dilations.iter().any(|gap| *gap != 1) {
        Some("dilated")
    } else if !alike(&kernel) {
        Some("oblong kernel")
    } else if !alike(&slide.strides) {
        Some("unequal strides")
    } else {
        None
    }
}

/// Whether a step is just what its operator says: two networks of the same table and the same links are one then, but for their weights.
pub(crate) fn is_plain(graph: &Graph, step: &Step) -> bool {
    if step.op == SQUEEZE_EXCITE {
        let gate = step.parts.iter().rev().nth(1);
        let is_usual = gate.is_some_and(|gate| gate.op == "HardSigmoid" && is_usual(graph, gate));
        let mut others = step
            .parts
            .iter()
            .filter(|part| Some(part.node) != gate.map(|gate| gate.node));
        return is_usual && others.all(|part| is_plain(graph, part));
    }
    let square = |id: &usize| match graph.facts[*id].shape.as_slice() {
        [_, _, height, width] => height == width,
        _ => true,
    };
    let call = graph.call(&graph.nodes[step.node]);
    let is_as_told = match step.op.as_str() {
        "Conv" => window(graph, step).is_none() && pads_keep_the_side(&call),
        "Gemm" => call.int("transA", 0) == 0 && is_one(&call, "alpha") && is_one(&call, "beta"),
        "GlobalMaxPool" | "GlobalLpPool" | "ReduceMax" | "Einsum" => false,
        _ => is_usual(graph, step),
    };
    is_as_told && step.inputs.iter().chain(&step.outputs).all(square)
}

/// Whether an activation is the one that its name says, its constants the usual ones.
pub(crate) fn is_usual(graph: &Graph, step: &Step) -> bool {
    let node = &graph.nodes[step.node];
    let call = graph.call(node);
    let is = |value: Option<f64>, usual: f64| value.is_some_and(|value| (value - usual).abs() < NEAR);
    let attribute = |name: &str| call.attribute(name).map(|attribute| f64::from(attribute.f));
    match step.op.as_str() {
        "Clip" => {
            let bound = |at: usize, name: &str| call.optional(at).map_or(attribute(name), |fact| fact.scalar());
            // ReLU6, and nothing else.
            is(bound(1, "min"), 0.0) && is(bound(2, "max"), 6.0)
        }
        "HardSigmoid" => is(attribute("alpha"), 1.0 / 6.0) && is(attribute("beta"), 0.5),
        // What was spelled out may have been spelled otherwise.
        op => node.proto.op_type == op,
    }
}

/// Whether a convolution has half its kernel of zeros around its input, on all sides alike.
fn pads_keep_the_side(call: &Call<'_>) -> bool {
    let Ok(Some(Window { kernel, slide, .. })) = Window::of(call) else {
        return false;
    };
    let half = kernel.first().map_or(0, |side| side / 2);
    match call.text("auto_pad") {
        "" | "NOTSET" => slide.pads.iter().all(|pad| *pad == (half, half)),
        _ => half == 0,
    }
}

fn is_one(call: &Call<'_>, name: &str) -> bool {
    call.attribute(name).is_none_or(|attribute| attribute.f == 1.0)
}
