//! Random architectures of a space of decisions.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::DecisionSpace;
use crate::architecture::Architecture;
use crate::space::Choice;

/// An endless, seeded sequence of architectures.
pub(in crate::space) struct DecisionSampler<'a> {
    space: &'a DecisionSpace,
    random: ChaCha8Rng,
    is_weighted: bool,
}

impl<'a> DecisionSampler<'a> {
    /// Every choice of a decision comes up equally often, before the rules take some away.
    pub(in crate::space) fn new(space: &'a DecisionSpace, seed: u64) -> Self {
        Self {
            space,
            random: ChaCha8Rng::seed_from_u64(seed),
            is_weighted: false,
        }
    }

    /// Of numbers, large ones come up more often, by their rank: the second smallest twice as often as the smallest, and so on.
    pub(in crate::space) fn weighted(space: &'a DecisionSpace, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        Self {
            space,
            random,
            is_weighted: true,
        }
    }
}

impl Iterator for DecisionSampler<'_> {
    type Item = Architecture;

    fn next(&mut self) -> Option<Architecture> {
        // The check of the space has found that draws keep the rules often enough.
        loop {
            let row = draw(self.space, &mut self.random, self.is_weighted);
            if self.space.broken(&row).is_none() {
                return Some(Architecture::unchecked(&row));
            }
        }
    }
}

/// Draws a row, whatever the rules say.
pub(super) fn draw(space: &DecisionSpace, random: &mut ChaCha8Rng, is_weighted: bool) -> Vec<u8> {
    let mut row = vec![0; space.columns().len()];
    for (at, column) in space.columns().iter().enumerate() {
        if column.is_present(&row) {
            let choices = &column.column.choices;
            let index = match is_weighted {
                true => by_rank(choices, random),
                false => random.random_range(0..choices.len()),
            };
            row[at] = index as u8 + 1;
        }
    }
    row
}

/// An index of a choice, a number's in proportion to its rank; words are alike.
fn by_rank(choices: &[Choice], random: &mut ChaCha8Rng) -> usize {
    let rank = |choice: &Choice| {
        let smaller = choices.iter().filter(|other| other.number() < choice.number());
        smaller.count() + 1
    };
    let indices: Vec<usize> = (0..choices.len()).collect();
    let drawn = indices.choose_weighted(random, |index| rank(&choices[*index]) as f64);
    *drawn.expect("a rank is positive")
}
