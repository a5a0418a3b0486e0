//! What chance decides.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded stream of decisions. It is computed from whole numbers and products alone, since neither how the crate `rand` draws from a
/// range nor the logarithms of a C library stay the same for ever.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Streams of one seed have nothing in common.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// A number below another.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// A number between two, both included.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most - least + 1)
    }

    /// A number between two, small ones and large ones alike likely by their ratio.
    pub(super) fn by_ratio(&mut self, least: u64, most: u64) -> u64 {
        // An eighth of a doubling.
        const STEP: f64 = 1.090_507_732_665_257_7;
        let ladder = std::iter::successors(Some(least as f64), |rung| Some(rung * STEP));
        let rungs: Vec<f64> = ladder.take_while(|rung| *rung <= most as f64).collect();
        rungs[self.below(rungs.len() as u32) as usize] as u64
    }

    /// As `by_ratio`, of small numbers.
    pub(super) fn width(&mut self, least: u32, most: u32) -> u32 {
        self.by_ratio(u64::from(least), u64::from(most)) as u32
    }

    /// One of some, all of them alike likely.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// Whether what happens so often in a hundred happens.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}
