//! Random architectures that cover a space evenly (the paper's 4.2, data equilibrium).
//!
//! Independent choices would leave very shallow and very deep networks out: ten depths of 1..4 add up to 25 +- 3.5. So
//! draws go through a shuffled deck of all pairs (total depth, resolution) and start it anew when it is used up.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ConstrainedAttribute, SearchSpace};
use crate::architecture::{Architecture, LayerChoice, RowBuilder};

/// An endless, seeded sequence of architectures: the same space and seed give the same sequence.
pub struct Sampler<'a> {
    space: &'a SearchSpace,
    rng: ChaCha8Rng,
    deck: Vec<(usize, u32)>,
}

impl<'a> Sampler<'a> {
    /// Starts the sequence of a seed.
    pub fn new(space: &'a SearchSpace, seed: u64) -> Self {
        Self {
            space,
            rng: ChaCha8Rng::seed_from_u64(seed),
            deck: Vec::new(),
        }
    }

    /// Every pair of total depth and resolution choice, shuffled.
    fn shuffled_deck(&mut self) -> Vec<(usize, u32)> {
        let blocks = &self.space.blocks;
        let shallowest: u32 = blocks.iter().map(|b| *b.depth.iter().min().expect("checked")).sum();
        let deepest: u32 = blocks.iter().map(|b| b.slots() as u32).sum();
        let mut deck: Vec<_> = (0..self.space.choices.resolution.len())
            .flat_map(|r| (shallowest..=deepest).map(move |d| (r, d)))
            .collect();
        deck.shuffle(&mut self.rng);
        deck
    }

    /// Depths of the blocks that add up to `total`, or to the next total that the depth choices can reach.
    fn depths(&mut self, total: u32) -> Vec<u32> {
        let blocks = &self.space.blocks;
        let mut depths: Vec<u32> = blocks.iter().map(|b| *b.depth.iter().min().expect("checked")).collect();
        while depths.iter().sum::<u32>() < total {
            let deeper = |i: usize, d: u32| blocks[i].depth.iter().copied().filter(|c| *c > d).min();
            let open: Vec<_> = (0..depths.len())
                .filter_map(|i| deeper(i, depths[i]).map(|d| (i, d)))
                .collect();
            let (block, depth) = *open.choose(&mut self.rng).expect("total is at most the deepest");
            depths[block] = depth;
        }
        depths
    }

    /// Strides of the blocks, drawn until the constraints hold.
    fn strides(&mut self) -> Vec<u32> {
        loop {
            let strides: Vec<u32> = self
                .space
                .blocks
                .iter()
                .map(|b| *b.stride.choose(&mut self.rng).expect("checked"))
                .collect();
            let allowed = self.space.constraints.iter().all(|c| match c.attribute {
                ConstrainedAttribute::Stride => c.admits(&strides),
            });
            if allowed {
                return strides;
            }
        }
    }
}

impl Iterator for Sampler<'_> {
    type Item = Architecture;

    fn next(&mut self) -> Option<Architecture> {
        if self.deck.is_empty() {
            self.deck = self.shuffled_deck();
        }
        let (resolution, total) = self.deck.pop()?;
        let depths = self.depths(total);
        let strides = self.strides();
        let space = self.space;
        let mut row = RowBuilder::new(space, space.choices.resolution[resolution]);
        for (b, block) in space.blocks.iter().enumerate() {
            let se = *block.se.choose(&mut self.rng).expect("checked");
            for layer in 0..depths[b] as usize {
                let stride = if layer == 0 { strides[b] } else { 1 };
                let kernel = *space.choices.kernel.choose(&mut self.rng).expect("checked");
                let expansion = *space.choices.expansion.choose(&mut self.rng).expect("checked");
                let wanted = block.shortcut[self.rng.random_range(0..block.shortcut.len())];
                let shortcut = wanted && block.shape_allows_shortcut(layer, stride);
                row.layer(
                    b,
                    layer,
                    LayerChoice {
                        kernel,
                        expansion,
                        stride,
                        se,
                        shortcut,
                    },
                );
            }
        }
        Some(row.finish())
    }
}
