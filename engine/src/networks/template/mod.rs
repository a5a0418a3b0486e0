//! Networks of spaces that say by templates how decisions make them: written as ONNX, and counted as any model is that is read.

mod bound;
mod scope;
mod steps;

use lglp_onnx::Rules;
use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::space::DecisionSpace;
use lglp_sdk::space::template::{Block, Edge, Input, NetworkTemplate};
use lglp_sdk::{Architecture, SearchSpace};

use super::builder::{Builder, Draft, Fill, Tensor};
use super::weights::Weights;
use super::{Cost, Network, NoNetwork};
pub(super) use bound::most_operators;
use scope::Scope;

/// What the weights of a model take at most: a message of protobuf holds no more.
const MOST_WEIGHT_BYTES: u64 = 2 << 30;

/// Why there is no network; the architecture is yet to be named.
pub(super) enum Failure {
    NotDefined,
    Impossible(String),
}

impl Failure {
    pub(super) fn named(self, space: &SearchSpace, architecture: &Architecture) -> NoNetwork {
        match self {
            Self::NotDefined => NoNetwork::not_defined(space),
            Self::Impossible(problem) => NoNetwork::Impossible {
                architecture: space.canonical_text(architecture),
                problem,
            },
        }
    }
}

/// A model, and where its parts begin.
struct Drafted {
    draft: Draft,
    places: Places,
}

/// The first node of each repetition, with the number of its link and of the repetition, from 1.
struct Places(Vec<(usize, (u32, u32))>);

impl Places {
    /// Where a node is, by its name.
    fn of(&self, node: &str) -> (u32, u32) {
        let number = node
            .rsplit_once('_')
            .and_then(|(_, number)| number.parse::<usize>().ok());
        let number = number.unwrap_or(0);
        let at = self.0.partition_point(|(first, _)| *first <= number);
        at.checked_sub(1).map_or((1, 1), |at| self.0[at].1)
    }
}

pub(super) fn build(
    space: &DecisionSpace,
    architecture: &Architecture,
    batch: u32,
    seed: u64,
) -> Result<Network, Failure> {
    let (operators, cost) = counted(space, architecture)?;
    let drafted = drafted(space, architecture, batch)?;
    Ok(Network {
        onnx: drafted.draft.with_weights(Weights::new(seed)),
        cost: Cost {
            macs: u64::from(batch) * cost.macs,
            ..cost
        },
        operators,
    })
}

/// The operators of an architecture's network at batch 1, in the order in which they run, and what it costs.
pub(super) fn counted(space: &DecisionSpace, architecture: &Architecture) -> Result<(Vec<Operator>, Cost), Failure> {
    executed(space, architecture, None)
}

/// What a runtime of these rules executes of an architecture's network, at batch 1, and what the network costs, whatever executes it.
pub(super) fn executed(
    space: &DecisionSpace,
    architecture: &Architecture,
    rules: Option<&Rules>,
) -> Result<(Vec<Operator>, Cost), Failure> {
    let Drafted { draft, places } = drafted(space, architecture, 1)?;
    let mut read = draft.read().map_err(|error| Failure::Impossible(error.to_string()))?;
    for (operator, origin) in read.operators.iter_mut().zip(&read.origins) {
        (operator.block, operator.layer) = places.of(&origin.node);
    }
    let cost = Cost {
        parameters: draft.parameters(),
        ..Cost::of(&read.operators, 1)
    };
    Ok((read.executed(rules).operators, cost))
}

fn drafted(space: &DecisionSpace, architecture: &Architecture, batch: u32) -> Result<Drafted, Failure> {
    let template = space.network().ok_or(Failure::NotDefined)?;
    let mut net = Builder::new((), false);
    let mut places = Vec::new();
    let chosen = space.chosen(architecture.row()).collect();
    let output = append(&mut net, &mut places, template, &Scope::new(&chosen), batch);
    let output = output.map_err(Failure::Impossible)?;
    let bytes = net.weight_bytes();
    if bytes > MOST_WEIGHT_BYTES {
        let (mib, most) = (bytes >> 20, MOST_WEIGHT_BYTES >> 20);
        return Err(Failure::Impossible(format!(
            "its weights take {mib} MiB; a model has {most} at most"
        )));
    }
    Ok(Drafted {
        draft: net.finish(&output),
        places: Places(places),
    })
}

fn append(
    net: &mut Builder,
    places: &mut Vec<(usize, (u32, u32))>,
    template: &NetworkTemplate,
    scope: &Scope<'_>,
    batch: u32,
) -> Result<Tensor, String> {
    let at = |problem| format!("network.input: {problem}");
    let mut value = input(net, &template.input, scope, batch).map_err(at)?;
    for (number, link) in template.chain.iter().enumerate() {
        let at = |problem| format!("network.chain[{number}]: {problem}");
        for repetition in 0..scope.count(&link.repeat).map_err(at)? {
            let at = |problem| format!("network.chain[{number}], repetition {}: {problem}", repetition + 1);
            places.push((net.node_count(), (number as u32 + 1, repetition as u32 + 1)));
            let scope = scope.inside(link, repetition).map_err(at)?;
            for name in &link.run {
                let (name, block) = scope.block(template, name).map_err(at)?;
                let run = run(net, template, block, &scope, &value);
                value = run.map_err(|problem| at(format!("{name}: {problem}")))?;
            }
        }
    }
    Ok(value)
}

/// What goes into the network: an image, or tokens, each told by the numbers that stand for it and by where it is.
fn input(net: &mut Builder, input: &Input, scope: &Scope<'_>, batch: u32) -> Result<Tensor, String> {
    match input {
        Input::Image { side, channels } => {
            let (side, channels) = (scope.whole("side", side, 0)?, scope.whole("channels", channels, 0)?);
            let input = net.input(&[batch, channels, side, side]);
            steps::check_size(net, &input)?;
            Ok(input)
        }
        Input::Tokens {
            length,
            vocabulary,
            features,
        } => {
            let (length, features) = (scope.whole("length", length, 0)?, scope.whole("features", features, 0)?);
            let told = net.embedded(&[batch, length], scope.whole("vocabulary", vocabulary, 0)?, features);
            Ok(net.with_weights("Add", &told, &[1, length, features], Fill::Small))
        }
    }
}

/// Runs a block.
fn run(
    net: &mut Builder,
    template: &NetworkTemplate,
    block: &Block,
    scope: &Scope<'_>,
    input: &Tensor,
) -> Result<Tensor, String> {
    if !block.edges.is_empty() {
        return cell(net, template, &block.edges, scope, input);
    }
    let mut value = steps::run(net, &block.steps, scope, input)?;
    // Around nothing there is no way.
    let has_steps = value.name != input.name;
    let shortcut = block
        .shortcut
        .as_ref()
        .filter(|shortcut| has_steps && scope.holds(&shortcut.when));
    if let Some(shortcut) = shortcut {
        if value.shape == input.shape {
            value = net.add(&value, input);
        } else if !shortcut.projection.is_empty() {
            let around = steps::run(net, &shortcut.projection, scope, input)?;
            value = sum(net, &value, &around)?;
        }
    }
    match &block.activation {
        Some(activation) => steps::activation(net, &scope.activation(activation), &value),
        None => Ok(value),
    }
}

/// Runs the edges of a cell that lie on a way through it; where there is none, nothing but zeros comes out.
fn cell(
    net: &mut Builder,
    template: &NetworkTemplate,
    edges: &[Edge],
    scope: &Scope<'_>,
    input: &Tensor,
) -> Result<Tensor, String> {
    let chosen = edges.iter().map(|edge| Ok((edge, scope.block(template, &edge.run)?)));
    let chosen: Vec<(&Edge, (&str, &Block))> = chosen.collect::<Result<_, String>>()?;
    let open: Vec<_> = chosen
        .into_iter()
        .filter(|(_, (_, block))| !block.disconnected)
        .collect();
    let last = edges.iter().map(|edge| edge.to).max().unwrap_or(0);
    // Edges lead to later nodes, so that one pass over the nodes finds what is reached from the last one.
    let mut wanted = vec![false; last + 1];
    wanted[last] = true;
    for node in (0..=last).rev().filter(|node| *node > 0) {
        if wanted[node] {
            open.iter()
                .filter(|(edge, _)| edge.to == node)
                .for_each(|(edge, _)| wanted[edge.from] = true);
        }
    }
    let mut nodes: Vec<Option<Tensor>> = vec![None; last + 1];
    nodes[0] = Some(input.clone());
    for node in (1..=last).filter(|node| wanted[*node]) {
        for (edge, (name, block)) in open.iter().filter(|(edge, _)| edge.to == node) {
            let Some(from) = nodes[edge.from].clone() else { continue };
            let brought = run(net, template, block, scope, &from).map_err(|problem| format!("{name}: {problem}"))?;
            nodes[node] = Some(match nodes[node].take() {
                Some(others) => sum(net, &others, &brought)?,
                None => brought,
            });
        }
    }
    match nodes.pop().flatten() {
        Some(output) => Ok(output),
        None => Ok(net.with_number("Mul", input, 0.0)),
    }
}

fn sum(net: &mut Builder, a: &Tensor, b: &Tensor) -> Result<Tensor, String> {
    if a.shape != b.shape {
        return Err(format!("{:?} and {:?} cannot be added", a.shape, b.shape));
    }
    Ok(net.add(a, b))
}
