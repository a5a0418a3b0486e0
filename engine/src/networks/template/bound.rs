//! How many operators a network has at most, whatever is chosen.

use lglp_sdk::space::template::{ACTIVATIONS, Block, Input, NetworkTemplate, Operation, Step};
use lglp_sdk::space::{Decision, DecisionSpace};

/// The most operators that a network of a space has: no more than there are nodes, of each choice among blocks the largest.
pub(in crate::networks) fn most_operators(space: &DecisionSpace, template: &NetworkTemplate) -> usize {
    let links = template.chain.iter().map(|link| {
        let once: usize = link.run.iter().map(|name| of_run(space, template, name)).sum();
        space.most(&link.repeat) * once
    });
    let input = match template.input {
        Input::Image { .. } => 0,
        Input::Tokens { .. } => 3,
    };
    input + links.sum::<usize>()
}

/// The largest block that a name runs.
fn of_run(space: &DecisionSpace, template: &NetworkTemplate, name: &str) -> usize {
    if let Some(block) = template.blocks.get(name) {
        return of_block(space, template, block);
    }
    // The decision itself, or one that is repeated.
    let repeated = name.rsplit_once('.').map(|(decision, _)| decision);
    let is_it = |decision: &&Decision| decision.name == name || Some(&*decision.name) == repeated;
    let choices = space
        .decisions()
        .iter()
        .filter(is_it)
        .flat_map(|decision| &decision.choices);
    let blocks = choices.filter_map(|choice| template.blocks.get(&choice.to_string()));
    blocks.map(|block| of_block(space, template, block)).max().unwrap_or(0)
}

fn of_block(space: &DecisionSpace, template: &NetworkTemplate, block: &Block) -> usize {
    if !block.edges.is_empty() {
        // Each edge is added to others; where none leads through, there is a product with 0.
        let edges = block.edges.iter().map(|edge| of_run(space, template, &edge.run) + 1);
        return edges.sum::<usize>() + 1;
    }
    let projection = block.shortcut.iter().flat_map(|shortcut| &shortcut.projection);
    let steps: usize = block.steps.iter().chain(projection).map(of_step).sum();
    steps + usize::from(block.shortcut.is_some()) + block.activation.as_deref().map_or(0, of_activation)
}

fn of_activation(name: &str) -> usize {
    match name {
        "none" => 0,
        "swish" => 2,
        name if name != "gelu" && ACTIVATIONS.contains(&name) => 1,
        // That has most nodes; a decision may choose it.
        _ => 5,
    }
}

fn of_step(step: &Step) -> usize {
    match &step.operation {
        Operation::Conv { activation, .. } | Operation::Depthwise { activation, .. } => 1 + of_activation(activation),
        Operation::Activation { function } => of_activation(function),
        Operation::SqueezeExcite { activation, gate, .. } => 4 + of_activation(activation) + of_activation(gate),
        Operation::Linear { activation, .. } => 3 + of_activation(activation),
        Operation::Attention { .. } => 20,
        Operation::Tokens { .. } => 6,
        Operation::ChannelShuffle { .. } => 3,
        Operation::MeanToken {} => 2,
        Operation::BatchNorm {}
        | Operation::MaxPool { .. }
        | Operation::AveragePool { .. }
        | Operation::GlobalAveragePool {}
        | Operation::LayerNorm {}
        | Operation::FirstToken {} => 1,
    }
}
