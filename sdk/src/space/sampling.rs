//! Random architectures of any space.

use super::SearchSpace;
use super::chain::ChainSampler;
use super::decisions::DecisionSampler;
use crate::architecture::Architecture;

/// An endless, seeded sequence of architectures: the same space and seed give the same sequence. Where a space has few, they come again.
pub struct Sampler<'a>(Kind<'a>);

enum Kind<'a> {
    Chain(ChainSampler<'a>),
    Decisions(DecisionSampler<'a>),
}

impl<'a> Sampler<'a> {
    /// Starts the uniform sequence of a seed. In a space of chains, every pair of depth and resolution comes up equally often; in any
    /// other, every choice of a decision does.
    pub fn new(space: &'a SearchSpace, seed: u64) -> Self {
        Self(match space {
            SearchSpace::Chain(space) => Kind::Chain(ChainSampler::new(space, seed)),
            SearchSpace::Decisions(space) => Kind::Decisions(DecisionSampler::new(space, seed)),
        })
    }

    /// Starts the weighted sequence of a seed, with more of what is large. In a space of chains, pairs come up in proportion to depth
    /// times resolution; in any other, the numbers of a decision by their rank.
    pub fn weighted(space: &'a SearchSpace, seed: u64) -> Self {
        Self(match space {
            SearchSpace::Chain(space) => Kind::Chain(ChainSampler::weighted(space, seed)),
            SearchSpace::Decisions(space) => Kind::Decisions(DecisionSampler::weighted(space, seed)),
        })
    }
}

impl Iterator for Sampler<'_> {
    type Item = Architecture;

    fn next(&mut self) -> Option<Architecture> {
        match &mut self.0 {
            Kind::Chain(sampler) => sampler.next(),
            Kind::Decisions(sampler) => sampler.next(),
        }
    }
}
