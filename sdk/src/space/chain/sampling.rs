//! Random architectures, in the two ways that the paper's data equilibrium (4.2) wants them.
//!
//! Uniform: independent choices would leave very shallow and very deep networks out, for ten depths of 1..4 add up to
//! 25 +- 3.5. So draws go through a shuffled deck of all pairs (total depth, resolution) and start it anew when it is used up.
//!
//! Weighted: even so, most latencies are short and few are long, since latency grows with depth times the square of the
//! resolution. These draws take a pair with a probability in proportion to depth times resolution, and fill the long end.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ChainSpace, LayerChoice, RowBuilder};
use crate::architecture::Architecture;

/// An endless, seeded sequence of architectures: the same space and seed give the same sequence.
pub(in crate::space) struct ChainSampler<'a> {
    space: &'a ChainSpace,
    rng: ChaCha8Rng,
    pairs: Pairs,
}

/// Where the pairs of resolution choice and total depth come from.
enum Pairs {
    /// What is left of a shuffled deck that holds each pair once.
    Deck(Vec<(usize, u32)>),
    /// Every pair with its weight.
    Weighted(Vec<((usize, u32), f64)>),
}

impl<'a> ChainSampler<'a> {
    /// Starts the uniform sequence of a seed: every pair of depth and resolution comes up equally often.
    pub(in crate::space) fn new(space: &'a ChainSpace, seed: u64) -> Self {
        Self {
            space,
            rng: ChaCha8Rng::seed_from_u64(seed),
            pairs: Pairs::Deck(Vec::new()),
        }
    }

    /// Starts the weighted sequence of a seed: pairs come up in proportion to depth times resolution.
    pub(in crate::space) fn weighted(space: &'a ChainSpace, seed: u64) -> Self {
        let resolutions = &space.choices.resolution;
        let weigh = |(r, depth): (usize, u32)| ((r, depth), f64::from(resolutions[r]) * f64::from(depth));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        Self {
            space,
            rng,
            pairs: Pairs::Weighted(all_pairs(space).into_iter().map(weigh).collect()),
        }
    }

    fn pair(&mut self) -> (usize, u32) {
        match &mut self.pairs {
            Pairs::Deck(deck) => {
                if deck.is_empty() {
                    *deck = all_pairs(self.space);
                    deck.shuffle(&mut self.rng);
                }
                deck.pop().expect("a space has a depth and a resolution")
            }
            Pairs::Weighted(pairs) => {
                pairs
                    .choose_weighted(&mut self.rng, |pair| pair.1)
                    .expect("depths and resolutions are positive")
                    .0
            }
        }
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
            if self.space.admits(&strides) {
                return strides;
            }
        }
    }
}

impl Iterator for ChainSampler<'_> {
    type Item = Architecture;

    fn next(&mut self) -> Option<Architecture> {
        let (resolution, total) = self.pair();
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

/// Every pair of resolution choice and total depth.
fn all_pairs(space: &ChainSpace) -> Vec<(usize, u32)> {
    let blocks = &space.blocks;
    let shallowest: u32 = blocks.iter().map(|b| *b.depth.iter().min().expect("checked")).sum();
    let deepest: u32 = blocks.iter().map(|b| b.slots() as u32).sum();
    (0..space.choices.resolution.len())
        .flat_map(|r| (shallowest..=deepest).map(move |depth| (r, depth)))
        .collect()
}
