//! Children of networks: blocks of either parent, and a few choices made anew.

use lglp_sdk::space::COLUMNS_PER_LAYER;
use lglp_sdk::{Architecture, ChainSpace, SearchSpace};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::spaces::changes::{EXPANSION, KERNEL, SE, SHORTCUT, STRIDE, lengthen};

/// How often a child has blocks of both parents.
const CROSSED: f64 = 0.9;

/// Choices that are made anew, at most.
const ANEW: usize = 3;

/// Makes children within a space.
pub(super) struct Variation<'a> {
    space: &'a SearchSpace,
    row: Vec<u8>,
    /// How many choices each byte of the row has.
    choices: Vec<usize>,
}

impl<'a> Variation<'a> {
    pub(super) fn new(space: &'a SearchSpace) -> Self {
        let row = vec![0; space.row_len()];
        let choices = space.columns().iter().map(|column| column.choices.len()).collect();
        Self { space, row, choices }
    }

    /// A child of two networks; `None` where what came out is not of the space.
    pub(super) fn child(&mut self, a: &Architecture, b: &Architecture, rng: &mut SmallRng) -> Option<Architecture> {
        self.row.copy_from_slice(a.row());
        let is_crossed = rng.random_bool(CROSSED);
        let space = self.space;
        match space {
            SearchSpace::Chain(chain) => {
                if is_crossed {
                    self.cross_blocks(chain, b, rng);
                }
                for _ in 0..rng.random_range(0..=ANEW) {
                    self.change_chain(chain, rng);
                }
            }
            SearchSpace::Decisions(decisions) => {
                if is_crossed {
                    let cells = self.row.iter_mut().zip(b.row());
                    cells
                        .filter(|_| rng.random_bool(0.5))
                        .for_each(|(own, other)| *own = *other);
                }
                for _ in 0..rng.random_range(0..=ANEW) {
                    decisions.complete(&mut self.row);
                    self.decide(rng);
                }
                decisions.complete(&mut self.row);
            }
        }
        space.architecture_from_row(&self.row).ok()
    }

    /// Takes resolution and blocks of another network, each or not.
    fn cross_blocks(&mut self, space: &ChainSpace, other: &Architecture, rng: &mut SmallRng) {
        if rng.random_bool(0.5) {
            self.row[0] = other.row()[0];
        }
        for (block, spec) in space.blocks.iter().enumerate() {
            if rng.random_bool(0.5) {
                let first = 1 + space.first_slot(block) * COLUMNS_PER_LAYER;
                let columns = first..first + spec.slots() * COLUMNS_PER_LAYER;
                self.row[columns.clone()].copy_from_slice(&other.row()[columns]);
            }
        }
    }

    /// Takes one decision anew.
    fn decide(&mut self, rng: &mut SmallRng) {
        let at = rng.random_range(0..self.row.len());
        if self.row[at] != 0 {
            self.row[at] = anew(self.choices[at], rng);
        }
    }

    /// Makes one choice anew, whether or not the space has what comes out.
    fn change_chain(&mut self, space: &ChainSpace, rng: &mut SmallRng) {
        let choices = &space.choices;
        let block = rng.random_range(0..space.blocks.len());
        let slots = space.blocks[block].slots();
        let first = 1 + space.first_slot(block) * COLUMNS_PER_LAYER;
        let begin = |layer: usize| first + layer * COLUMNS_PER_LAYER;
        let depth = (0..slots).take_while(|layer| self.row[begin(*layer)] != 0).count();
        let layer = begin(rng.random_range(0..depth.max(1)));
        match rng.random_range(0..8) {
            0 => self.row[0] = anew(choices.resolution.len(), rng),
            1 => self.row[layer + KERNEL] = anew(choices.kernel.len(), rng),
            2 => self.row[layer + EXPANSION] = anew(choices.expansion.len(), rng),
            3 => self.row[layer + SHORTCUT] = anew(choices.shortcut.len(), rng),
            4 => self.row[begin(0) + STRIDE] = anew(choices.stride.len(), rng),
            5 => {
                let se = anew(choices.se.len(), rng);
                (0..depth).for_each(|layer| self.row[begin(layer) + SE] = se);
            }
            6 if depth > 1 => self.row[begin(depth - 1)..begin(depth)].fill(0),
            _ if (1..slots).contains(&depth) => lengthen(space, &mut self.row, begin(depth), depth),
            _ => {}
        }
    }
}

/// The byte of a choice among some.
fn anew(count: usize, rng: &mut SmallRng) -> u8 {
    rng.random_range(1..=count) as u8
}
