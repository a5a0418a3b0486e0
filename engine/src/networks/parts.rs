//! Networks as parts that come again in network after network. What is known of a part is known of all networks that have it. A network of
//! a chain has its stem, its layers and its head as parts; any other is one part.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;
use lglp_onnx::Rules;
use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::space::DecisionSpace;
use lglp_sdk::{Architecture, SearchSpace};

use super::chain::ChainParts;
use super::walks::Walks;
use super::{Cost, template};

/// Operators of networks that are kept whole at most, and how many of these networks: some 20 MB.
const KEPT_OPERATORS: usize = 1 << 18;
const KEPT: usize = 1 << 12;

/// The parts of the networks of a space, numbered in the order in which they were met.
pub struct Parts(Kind);

enum Kind {
    Chain(ChainParts),
    Whole(WholeNetworks),
}

/// Networks that are one part each.
struct WholeNetworks {
    space: DecisionSpace,
    rules: Option<Rules>,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// By the row of their architecture.
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    networks: Vec<(Vec<Operator>, Cost)>,
    /// Of all networks.
    operators: usize,
}

impl Known {
    fn is_full(&self) -> bool {
        self.networks.len() == KEPT || self.operators >= KEPT_OPERATORS
    }
}

impl Parts {
    /// Parts of the networks of a space, as a runtime of these rules executes them; none of them was met yet.
    pub fn new(space: &SearchSpace, rules: Option<&Rules>) -> Self {
        Self(match space {
            SearchSpace::Chain(space) => Kind::Chain(ChainParts::new(space, rules)),
            SearchSpace::Decisions(space) => Kind::Whole(WholeNetworks {
                space: space.clone(),
                rules: rules.cloned(),
                known: RwLock::default(),
            }),
        })
    }

    /// The operators of a part, in the order in which they run.
    pub fn operators(&self, number: u32) -> Vec<Operator> {
        match &self.0 {
            Kind::Chain(parts) => parts.operators(number),
            Kind::Whole(whole) => {
                let known = whole.known.read().unwrap_or_else(PoisonError::into_inner);
                known.networks[number as usize].0.clone()
            }
        }
    }

    /// What the networks of some architectures cost at batch 1; nothing, where they make none.
    pub fn costs<'a>(&self, architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone) -> Vec<Cost> {
        match &self.0 {
            Kind::Chain(parts) => parts.costs(architectures),
            Kind::Whole(whole) => architectures.map(|one| whole.cost(one)).collect(),
        }
    }

    /// What networks cost at batch 1, by their parts.
    pub fn costs_of(&self, walks: &Walks) -> Vec<Cost> {
        match &self.0 {
            Kind::Chain(parts) => parts.costs_of(walks),
            Kind::Whole(whole) => {
                let known = whole.known.read().unwrap_or_else(PoisonError::into_inner);
                walks
                    .iter()
                    .map(|network| known.networks[network[0] as usize].1)
                    .collect()
            }
        }
    }

    /// The parts of the networks of some architectures; `None` where one is not known and there is no room for more, where the space has
    /// more blocks than can be told apart, or where an architecture makes no network.
    pub fn walks<'a>(&self, architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone) -> Option<Walks> {
        match &self.0 {
            Kind::Chain(parts) => parts.walks(architectures),
            Kind::Whole(whole) => {
                let numbers: Vec<u32> = architectures.map(|one| whole.number(one)).collect::<Option<_>>()?;
                Some(Walks {
                    ends: (1..=numbers.len()).collect(),
                    numbers,
                })
            }
        }
    }
}

impl WholeNetworks {
    /// The number of an architecture's network; `None` where it makes none, or there is no room for it.
    fn number(&self, architecture: &Architecture) -> Option<u32> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (number, is_full) = (known.numbers.get(architecture.row()).copied(), known.is_full());
        drop(known);
        if number.is_some() || is_full {
            return number;
        }
        let (operators, cost) = template::executed(&self.space, architecture, self.rules.as_ref()).ok()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.is_full() {
            return None;
        }
        let number = known.networks.len() as u32;
        let number = *known.numbers.entry(architecture.row().into()).or_insert(number);
        if number as usize == known.networks.len() {
            known.operators += operators.len();
            known.networks.push((operators, cost));
        }
        Some(number)
    }

    fn cost(&self, architecture: &Architecture) -> Cost {
        match self.number(architecture) {
            Some(number) => {
                let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
                known.networks[number as usize].1
            }
            None => template::counted(&self.space, architecture).map_or(Cost::default(), |(_, cost)| cost),
        }
    }
}
