//! Which architectures to measure: uniform draws first, then weighted ones (the paper's 4.2, data equilibrium).

use std::collections::BTreeSet;

use lglp_sdk::{Architecture, Sampler, SearchSpace};

/// How an architecture was drawn; see [`Sampler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    Uniform,
    Weighted,
}

impl Draw {
    /// The remarks that a measurement of such a draw carries, so that reports can tell the two apart.
    pub fn flags(self) -> Vec<String> {
        match self {
            Self::Uniform => Vec::new(),
            Self::Weighted => vec!["draw:weighted".to_owned()],
        }
    }
}

/// The first `uniform` and the first `weighted` architectures of a seed's two sequences, each architecture once. Asking for
/// more of either later keeps those that were there.
pub fn plan(space: &SearchSpace, seed: u64, uniform: usize, weighted: usize) -> Vec<(Draw, Architecture)> {
    let mut seen = BTreeSet::new();
    let mut distinct = |sampler: Sampler<'_>, count: usize, draw: Draw| -> Vec<(Draw, Architecture)> {
        let fresh = sampler.filter(|a| seen.insert(a.row().to_vec()));
        fresh.take(count).map(|a| (draw, a)).collect()
    };
    let mut all = distinct(Sampler::new(space, seed), uniform, Draw::Uniform);
    all.extend(distinct(Sampler::weighted(space, seed), weighted, Draw::Weighted));
    all
}
