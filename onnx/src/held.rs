//! What a runtime holds of a network.

use crate::Held;
use crate::graph::Graph;
use crate::rewrite::{Step, Steps};
use crate::shapes::einsum::Einsum;
use crate::shapes::windows::Window;
use crate::table::{BYTES, fuse};

/// What is held of a graph.
pub(crate) fn of(graph: &Graph) -> Held {
    let mut steps = Steps::of(graph);
    fuse(&mut steps);
    let constants = graph.facts.iter().filter(|fact| fact.is_constant());
    let constants = constants.map(|fact| product(&fact.shape).saturating_mul(BYTES));
    Held {
        constants: constants.fold(0, u64::saturating_add),
        at_once: at_once(graph, &steps),
    }
}

/// The most bytes that values take that are computed and still to be read, with what the step at work sets out for itself.
fn at_once(graph: &Graph, steps: &Steps<'_>) -> u64 {
    let elements = |id: usize| product(&graph.facts[id].shape);
    let mut last_read = vec![0; graph.facts.len()];
    for (at, step) in steps.iter() {
        for id in &step.inputs {
            last_read[steps.origin(*id)] = at;
        }
    }
    let last = steps.iter().last().map_or(0, |(at, _)| at);
    // What comes out stays until the end, and so do inputs, which are there from the beginning.
    for id in &graph.outputs {
        last_read[steps.origin(*id)] = last;
    }
    let mut is_input: Vec<bool> = graph.facts.iter().map(|fact| !fact.is_constant()).collect();
    for id in graph.nodes.iter().flat_map(|node| &node.outputs).flatten() {
        is_input[*id] = false;
    }
    let inputs = (0..graph.facts.len()).filter(|id| is_input[*id]);
    let inputs = inputs.map(|id| elements(id).saturating_mul(BYTES));
    let (mut held, mut most) = (inputs.fold(0, u64::saturating_add), 0u64);
    let mut ends: Vec<Vec<u64>> = vec![Vec::new(); last + 1];
    for (at, step) in steps.iter() {
        for id in &step.outputs {
            let bytes = elements(*id).saturating_mul(BYTES);
            held = held.saturating_add(bytes);
            let end = last_read[steps.origin(*id)].max(at);
            ends[end].push(bytes);
        }
        most = most.max(held.saturating_add(set_out(graph, step).saturating_mul(BYTES)));
        held -= ends[at].iter().sum::<u64>().min(held);
    }
    most
}

/// Numbers that a step sets out for itself.
fn set_out(graph: &Graph, step: &Step) -> u64 {
    let parts: u64 = step
        .parts
        .iter()
        .map(|part| set_out(graph, part))
        .fold(0, u64::saturating_add);
    let call = graph.call(&graph.nodes[step.node]);
    let own = match step.op.as_str() {
        // Columns: each window beside the others.
        "Conv" | "ConvTranspose" => {
            let (of_places, of_channels) = match step.op.as_str() {
                "Conv" => (step.outputs.first(), step.inputs.first()),
                _ => (step.inputs.first(), step.outputs.first()),
            };
            let shape = |id: Option<&usize>| id.map_or(&[][..], |id| &graph.facts[*id].shape);
            let places = product(shape(of_places).get(2..).unwrap_or(&[]));
            let channels = shape(of_channels).get(1).copied().unwrap_or(1);
            let kernel = match Window::of(&call) {
                Ok(Some(window)) => product(&window.kernel),
                _ => 1,
            };
            match kernel {
                0 | 1 => 0,
                kernel => places.saturating_mul(channels).saturating_mul(kernel),
            }
        }
        // Products of some, before those of all.
        "Einsum" if step.inputs.len() > 2 => Einsum::of(&call).map_or(u64::MAX, |einsum| product(&einsum.sides)),
        _ => 0,
    };
    own.saturating_add(parts)
}

fn product(sides: &[u64]) -> u64 {
    sides.iter().fold(1, |all: u64, side| all.saturating_mul(*side))
}
