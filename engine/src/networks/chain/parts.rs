//! Networks as parts that come again in network after network: the stem, each searched layer, the head. What is known of a part is
//! known of all networks that have it, wherever it stands in them.

use std::collections::HashMap;
use std::iter::once;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;
use lglp_onnx::{Order, Rules};
use lglp_sdk::plugin::abi::{OPERATOR_FULLY_CONNECTED, Operator};
use lglp_sdk::space::{Block, COLUMNS_PER_LAYER};
use lglp_sdk::{Architecture, ChainSpace};

use super::blocks::InvertedResidual;
use super::execution::executed;
use super::frame;
use super::graph::{Graph, IMAGE_CHANNELS, Value};
use crate::networks::Cost;
use crate::networks::walks::Walks;

/// Parts that are kept at most; the space of the paper has some 6,000.
const KEPT: usize = 1 << 15;

/// Steps that are kept at most: several lead to one part.
const MOST_STEPS: usize = 4 * KEPT;

/// Blocks of which a [`Step`] tells.
const MOST_BLOCKS: usize = 254;

/// A part of a network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Stem,
    Layer(InvertedResidual),
    Head,
}

/// Block and layer of a part, from 1; 0 outside of the searched layers.
pub(super) type Place = (u32, u32);

/// The parts of an architecture's network, in the order in which they run.
pub(super) fn of<'a>(
    space: &'a ChainSpace,
    architecture: &'a Architecture,
) -> impl Iterator<Item = (Part, Place)> + 'a {
    let mut last = (0, 0);
    let layers = space.layers(architecture).map(move |layer| {
        let block = layer.block as u32 + 1;
        last = (block, if last.0 == block { last.1 + 1 } else { 1 });
        let residual = InvertedResidual {
            kernel: layer.kernel,
            expansion: layer.expansion,
            stride: layer.stride,
            channels: layer.channels_out,
            se: layer.se,
            shortcut: layer.shortcut,
            activation: layer.activation,
        };
        (Part::Layer(residual), last)
    });
    once((Part::Stem, (0, 0)))
        .chain(layers)
        .chain(once((Part::Head, (0, 0))))
}

impl Part {
    /// Appends the part to a graph, at its place.
    pub(super) fn append(&self, graph: &mut Graph, space: &ChainSpace, input: &Value, (block, layer): Place) -> Value {
        graph.enter(block, layer);
        match self {
            Self::Stem => frame(graph, "stem", input, &space.network.stem),
            Self::Layer(residual) => {
                let name = format_args!("block{}.layer{}", block - 1, layer - 1);
                residual.append(graph, name, input)
            }
            Self::Head => {
                let value = frame(graph, "head", input, &space.network.head);
                graph.begin(OPERATOR_FULLY_CONNECTED, &value);
                graph.classify(&value, space.network.classes)
            }
        }
    }
}

/// What flows between parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct FeatureMap {
    channels: u32,
    /// Pixels.
    side: u32,
    /// How it lies in memory.
    order: Order,
}

/// A step of the walk through a network: what flows in, as its number; where the walk is (see [`Parts::steps`]); and what is chosen there, as
/// indices of the architecture's row. Packed, since of each network some twenty are looked up.
type Step = u64;

/// Where a step leads.
#[derive(Clone, Copy)]
struct Known {
    /// The number of the part.
    part: u32,
    /// The number of what flows out.
    output: u16,
}

/// The parts of the networks of a space, numbered in the order in which they were met.
pub(in crate::networks) struct ChainParts {
    space: ChainSpace,
    /// Of the runtime that executes the networks.
    rules: Option<Rules>,
    /// Layer slots of each block.
    slots: Vec<usize>,
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    steps: HashMap<Step, Known, RandomState>,
    parts: Vec<KnownPart>,
    numbers: HashMap<(Part, FeatureMap), Known, RandomState>,
    feature_maps: Vec<FeatureMap>,
}

/// What a part is, and what flows into it: what it does follows from both.
#[derive(Clone, Copy)]
struct KnownPart {
    part: Part,
    input: FeatureMap,
    /// At batch 1.
    cost: Cost,
}

impl ChainParts {
    /// Parts of the networks of a space, none of which was met yet.
    pub(in crate::networks) fn new(space: &ChainSpace, rules: Option<&Rules>) -> Self {
        Self {
            space: space.clone(),
            rules: rules.cloned(),
            slots: space.blocks.iter().map(Block::slots).collect(),
            table: RwLock::default(),
        }
    }

    /// The operators of a part, in the order in which they run.
    pub(in crate::networks) fn operators(&self, number: u32) -> Vec<Operator> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let KnownPart { part, input, .. } = table.parts[number as usize];
        drop(table);
        build(&self.space, part, input, self.rules.as_ref()).operators
    }

    /// What the networks of some architectures cost at batch 1.
    pub(in crate::networks) fn costs<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Vec<Cost> {
        let Some(walks) = self.walks(architectures.clone()) else {
            return architectures
                .map(|architecture| super::counted(&self.space, architecture).1)
                .collect();
        };
        self.costs_of(&walks)
    }

    /// What networks cost at batch 1, by their parts.
    pub(in crate::networks) fn costs_of(&self, walks: &Walks) -> Vec<Cost> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let cost = |part: &u32| table.parts[*part as usize].cost;
        let network = |parts: &[u32]| parts.iter().map(cost).sum();
        walks.iter().map(network).collect()
    }

    /// The parts of the networks of some architectures; `None` where one is not known and there is no room for more, or where the space
    /// has more blocks than a step tells.
    pub(in crate::networks) fn walks<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Option<Walks> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let walks = self.walks_in(&table, architectures.clone());
        let is_full = table.parts.len() == KEPT || table.steps.len() >= MOST_STEPS;
        drop(table);
        if walks.is_some() || is_full || self.slots.len() > MOST_BLOCKS {
            return walks;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        for architecture in architectures.clone() {
            self.learn(&mut table, architecture)?;
        }
        self.walks_in(&table, architectures)
    }

    fn walks_in<'a>(
        &self,
        table: &Table,
        architectures: impl ExactSizeIterator<Item = &'a Architecture>,
    ) -> Option<Walks> {
        let networks = architectures.len();
        let mut walks = Walks {
            numbers: Vec::with_capacity(networks * (self.slots.iter().sum::<usize>() + 2)),
            ends: Vec::with_capacity(networks),
        };
        for architecture in architectures {
            let mut input = 0;
            let mut take = |place: u8, choices: [u8; COLUMNS_PER_LAYER]| {
                let known = table.steps.get(&step(input, place, choices))?;
                walks.numbers.push(known.part);
                input = known.output;
                Some(())
            };
            self.steps(architecture, &mut take)?;
            walks.ends.push(walks.numbers.len());
        }
        Some(walks)
    }

    /// Gives `take` each step of the walk through a network: its place (0 is the stem, each block has one from 1 on, 255 is the head) and what
    /// is chosen there. `None` where `take` gave that.
    fn steps(
        &self,
        architecture: &Architecture,
        mut take: impl FnMut(u8, [u8; COLUMNS_PER_LAYER]) -> Option<()>,
    ) -> Option<()> {
        let (resolution, layers) = architecture.row().split_first()?;
        take(0, [*resolution, 0, 0, 0, 0])?;
        let mut layers = layers.as_chunks::<COLUMNS_PER_LAYER>().0.iter();
        for (place, slots) in (1..u8::MAX).zip(&self.slots) {
            for choices in layers.by_ref().take(*slots) {
                if choices[0] != 0 {
                    take(place, *choices)?;
                }
            }
        }
        match layers.next() {
            None => take(u8::MAX, [0; COLUMNS_PER_LAYER]),
            Some(_) => None,
        }
    }

    /// Adds the steps of an architecture's network that are new; `None` where there is no room for their parts.
    fn learn(&self, table: &mut Table, architecture: &Architecture) -> Option<()> {
        let mut parts = of(&self.space, architecture);
        let mut input = 0;
        self.steps(architecture, |place, choices| {
            let (part, _) = parts.next()?;
            let step = step(input, place, choices);
            let known = match table.steps.get(&step) {
                Some(known) => *known,
                None if table.steps.len() >= MOST_STEPS => return None,
                None => {
                    let flows = match place {
                        0 => FeatureMap {
                            channels: IMAGE_CHANNELS,
                            side: self.space.resolution(architecture),
                            order: Order::Plain,
                        },
                        _ => table.feature_maps[usize::from(input) - 1],
                    };
                    let known = table.number(&self.space, part, flows, self.rules.as_ref())?;
                    table.steps.insert(step, known);
                    known
                }
            };
            input = known.output;
            Some(())
        })
    }
}

impl Table {
    /// What is known of a part, which is added where it is new; `None` where there is no room.
    fn number(&mut self, space: &ChainSpace, part: Part, input: FeatureMap, rules: Option<&Rules>) -> Option<Known> {
        if let Some(known) = self.numbers.get(&(part, input)) {
            return Some(*known);
        }
        if self.parts.len() == KEPT {
            return None;
        }
        let Built { output, cost, .. } = build(space, part, input, rules);
        let flows = self.feature_maps.iter().position(|known| *known == output);
        let flows = flows.unwrap_or_else(|| {
            self.feature_maps.push(output);
            self.feature_maps.len() - 1
        });
        let known = Known {
            part: self.parts.len() as u32,
            // No more than there are parts.
            output: flows as u16 + 1,
        };
        self.parts.push(KnownPart { part, input, cost });
        self.numbers.insert((part, input), known);
        Some(known)
    }
}

/// `input` is the number of a feature map, from 1; 0 before the stem.
fn step(input: u16, place: u8, choices: [u8; COLUMNS_PER_LAYER]) -> Step {
    let ([low, high], [a, b, c, d, e]) = (input.to_le_bytes(), choices);
    Step::from_le_bytes([low, high, place, a, b, c, d, e])
}

/// What a part is made of.
struct Built {
    /// What flows out.
    output: FeatureMap,
    /// At batch 1, whatever executes it.
    cost: Cost,
    /// What is executed, in the order in which it runs.
    operators: Vec<Operator>,
}

fn build(space: &ChainSpace, part: Part, input: FeatureMap, rules: Option<&Rules>) -> Built {
    let mut graph = Graph::counted(1, input.side);
    // Wherever it stands, it does the same.
    let place = if matches!(part, Part::Layer(_)) { (1, 1) } else { (0, 0) };
    let output = part.append(&mut graph, space, &Graph::value(input.channels, input.side), place);
    let counted = graph.operators();
    let cost = Cost::of(&counted, 1);
    let executed = executed(counted, input.order, rules);
    let output = FeatureMap {
        channels: output.channels,
        side: output.side,
        order: executed.gives,
    };
    Built {
        output,
        cost,
        operators: executed.operators,
    }
}
