//! Children of networks: blocks of either parent, and a few choices made anew.

use lglp_sdk::space::COLUMNS_PER_LAYER;
use lglp_sdk::{Architecture, SearchSpace};
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
}

impl<'a> Variation<'a> {
    pub(super) fn new(space: &'a SearchSpace) -> Self {
        let row = vec![0; space.row_len()];
        Self { space, row }
    }

    /// A child of two networks; `None` where what came out is not of the space.
    pub(super) fn child(&mut self, a: &Architecture, b: &Architecture, rng: &mut SmallRng) -> Option<Architecture> {
        self.row.copy_from_slice(a.row());
        if rng.random_bool(CROSSED) {
            if rng.random_bool(0.5) {
                self.row[0] = b.row()[0];
            }
            for (block, spec) in self.space.blocks.iter().enumerate() {
                if rng.random_bool(0.5) {
                    let first = 1 + self.space.first_slot(block) * COLUMNS_PER_LAYER;
                    let columns = first..first + spec.slots() * COLUMNS_PER_LAYER;
                    self.row[columns.clone()].copy_from_slice(&b.row()[columns]);
                }
            }
        }
        for _ in 0..rng.random_range(0..=ANEW) {
            self.change(rng);
        }
        self.space.architecture_from_row(&self.row).ok()
    }

    /// Makes one choice anew, whether or not the space has what comes out.
    fn change(&mut self, rng: &mut SmallRng) {
        let choices = &self.space.choices;
        let anew = |count: usize, rng: &mut SmallRng| rng.random_range(1..=count) as u8;
        let block = rng.random_range(0..self.space.blocks.len());
        let slots = self.space.blocks[block].slots();
        let first = 1 + self.space.first_slot(block) * COLUMNS_PER_LAYER;
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
            _ if (1..slots).contains(&depth) => lengthen(self.space, &mut self.row, begin(depth), depth),
            _ => {}
        }
    }
}
