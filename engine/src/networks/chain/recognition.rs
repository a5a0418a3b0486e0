//! Which architecture of a space a network is, told by its operators and what they read.

use lglp_onnx::Network;
use lglp_sdk::plugin::abi::{
    OPERATOR_ADD, OPERATOR_DEPTHWISE, OPERATOR_EXPAND, OPERATOR_PROJECT, OPERATOR_SQUEEZE_EXCITE, Operator,
};
use lglp_sdk::{Architecture, ChainSpace, SearchSpace};
use serde_json::{Value, json};

use super::execution::entry;
use super::graph::Graph;
use super::parts::Part;

/// Ways of dealing layers out to blocks that are tried: where blocks are of one width, there are several.
const TRIED: usize = 64;

/// A searched layer as its operators tell it.
#[derive(Clone, Copy)]
struct Layer {
    kernel: u32,
    expansion: u32,
    stride: u32,
    se: bool,
    shortcut: bool,
    channels: u32,
}

/// The architecture of a space whose network this is, but for its weights; `None` where it is none of the space.
pub(in crate::networks) fn recognise(space: &SearchSpace, network: &Network) -> Option<Architecture> {
    let chain = space.chain()?;
    let operators = network.operators.as_slice();
    let is_plain = network.origins.iter().all(|origin| origin.is_plain);
    if !is_plain || !is_linked(network) {
        return None;
    }
    let first = operators.first()?;
    let layers = layers(searched(chain, operators)?)?;
    let mut search = Search {
        space,
        chain,
        operators,
        resolution: first.side_in,
        left: TRIED,
    };
    search.deal(&layers, &mut Vec::with_capacity(chain.blocks.len()))
}

/// Whether each operator reads what the one before it gives, and a sum also what flows into its inverted residual.
fn is_linked(network: &Network) -> bool {
    let operators = &network.operators;
    let mut origins = network.origins.iter().enumerate();
    origins.all(|(at, origin)| {
        let before = at.checked_sub(1);
        match (operators[at].kind, origin.reads.as_slice()) {
            (OPERATOR_ADD, [a, b]) => {
                let entry = entry(operators, at);
                entry.is_some() && ((*a, *b) == (before, entry) || (*b, *a) == (before, entry))
            }
            (OPERATOR_ADD, _) => false,
            (_, [read]) => *read == before,
            _ => false,
        }
    })
}

/// The operators between the stem and the head.
fn searched<'a>(space: &ChainSpace, operators: &'a [Operator]) -> Option<&'a [Operator]> {
    let first = operators.first()?;
    let fixed = |part: Part| {
        let mut graph = Graph::counted(1, first.side_in);
        let input = Graph::value(first.channels_in, first.side_in);
        part.append(&mut graph, space, &input, (0, 0));
        graph.operators().len()
    };
    let end = operators.len().checked_sub(fixed(Part::Head))?;
    operators.get(fixed(Part::Stem)..end)
}

/// Reads inverted residuals, one after another.
fn layers(mut rest: &[Operator]) -> Option<Vec<Layer>> {
    let mut layers = Vec::new();
    while let Some(first) = rest.first() {
        let mut next = |kind: u32| {
            let (found, after) = rest.split_first().filter(|(found, _)| found.kind == kind)?;
            rest = after;
            Some(found)
        };
        let expanded = next(OPERATOR_EXPAND).map_or(first.channels_in, |expand| expand.channels_out);
        let depthwise = next(OPERATOR_DEPTHWISE)?;
        let se = next(OPERATOR_SQUEEZE_EXCITE).is_some();
        let project = next(OPERATOR_PROJECT)?;
        layers.push(Layer {
            kernel: depthwise.kernel,
            expansion: expanded.checked_div(first.channels_in)?,
            stride: depthwise.stride,
            se,
            shortcut: next(OPERATOR_ADD).is_some(),
            channels: project.channels_out,
        });
    }
    Some(layers)
}

struct Search<'a> {
    space: &'a SearchSpace,
    chain: &'a ChainSpace,
    operators: &'a [Operator],
    resolution: u32,
    /// Ways that may still be tried.
    left: usize,
}

impl Search<'_> {
    /// Deals layers out to the blocks that have none yet.
    fn deal(&mut self, layers: &[Layer], blocks: &mut Vec<Value>) -> Option<Architecture> {
        let Some(block) = self.chain.blocks.get(blocks.len()) else {
            return if layers.is_empty() { self.check(blocks) } else { None };
        };
        let depths = block.depth.clone();
        let (_, channels) = block.channels;
        for depth in depths {
            let Some((own, rest)) = layers.split_at_checked(depth as usize) else {
                continue;
            };
            let [first, later @ ..] = own else { continue };
            let fits = own
                .iter()
                .all(|layer| layer.channels == channels && layer.se == first.se)
                && later.iter().all(|layer| layer.stride == 1);
            if !fits || self.left == 0 {
                continue;
            }
            let written: Vec<Value> = own.iter().map(written).collect();
            blocks.push(json!({ "stride": first.stride, "se": first.se, "layers": written }));
            let found = self.deal(rest, blocks);
            if found.is_some() {
                return found;
            }
            blocks.pop();
        }
        None
    }

    /// The architecture, where its network is the one that was asked for.
    fn check(&mut self, blocks: &[Value]) -> Option<Architecture> {
        self.left -= 1;
        let written = json!({ "resolution": self.resolution, "blocks": blocks });
        let architecture = self.space.architecture_from_json(&written).ok()?;
        let placeless = |operator: &Operator| Operator {
            block: 0,
            layer: 0,
            ..*operator
        };
        let built = super::counted(self.chain, &architecture).0;
        built
            .iter()
            .map(placeless)
            .eq(self.operators.iter().map(placeless))
            .then_some(architecture)
    }
}

fn written(layer: &Layer) -> Value {
    json!({ "kernel": layer.kernel, "expansion": layer.expansion, "shortcut": layer.shortcut })
}
