//! Which architectures to measure: uniform draws first, then weighted ones (the paper's 4.2, data equilibrium).

use std::collections::BTreeSet;

use lglp_registry::{HardwareName, Store};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use serde::{Deserialize, Serialize};

use super::MeasureError;

/// Architectures that are to be measured, as canonical texts: kept as a blob, so that whoever goes on does so with the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub architectures: Vec<String>,
    /// The remarks that the measurement of each begins with; none where none of them has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Vec<String>>,
}

impl Plan {
    /// Architectures without remarks.
    pub fn of(architectures: Vec<String>) -> Self {
        Self {
            architectures,
            flags: Vec::new(),
        }
    }

    /// The remarks of one.
    pub fn flags(&self, at: usize) -> Vec<String> {
        self.flags.get(at).cloned().unwrap_or_default()
    }
}

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

/// Draws in a row that bring nothing new, after which a space counts as used up.
const REPEATS: usize = 100_000;

/// The first `uniform` and the first `weighted` architectures of a seed's two sequences, each architecture once. Asking for
/// more of either later keeps those that were there. A small space may have fewer.
pub fn plan(space: &SearchSpace, seed: u64, uniform: usize, weighted: usize) -> Vec<(Draw, Architecture)> {
    let mut seen = BTreeSet::new();
    let mut distinct = |sampler: Sampler<'_>, count: usize, draw: Draw| -> Vec<(Draw, Architecture)> {
        let (mut drawn, mut repeats) = (Vec::new(), 0);
        for architecture in sampler {
            if drawn.len() >= count || repeats >= REPEATS {
                break;
            }
            repeats += 1;
            if seen.insert(architecture.row().to_vec()) {
                repeats = 0;
                drawn.push((draw, architecture));
            }
        }
        drawn
    };
    let mut all = distinct(Sampler::new(space, seed), uniform, Draw::Uniform);
    all.extend(distinct(Sampler::weighted(space, seed), weighted, Draw::Weighted));
    all
}

/// Which architectures a campaign measures; finished ones count in.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// New ones, drawn uniformly and weighted.
    Fresh { seed: u64, uniform: usize, weighted: usize },
    /// Some of round 0 again, for the noise floor; `round` is 1 or more.
    Again { round: u32, count: usize },
    /// These ones.
    These {
        round: u32,
        architectures: &'a [Architecture],
    },
}

impl Wanted<'_> {
    /// The round of the measurements.
    pub fn round(&self) -> u32 {
        match self {
            Self::Fresh { .. } => 0,
            Self::Again { round, .. } | Self::These { round, .. } => *round,
        }
    }

    /// The architectures of the round. Repetitions take those of round 0 in the order of their digests: another order.
    pub fn architectures(
        &self,
        store: &dyn Store,
        hardware: &HardwareName,
        space: &SearchSpace,
    ) -> Result<Vec<(Draw, Architecture)>, MeasureError> {
        let (round, count) = match *self {
            Self::Fresh {
                seed,
                uniform,
                weighted,
            } => {
                let (drawn, asked) = (plan(space, seed, uniform, weighted), uniform + weighted);
                return match drawn.len() {
                    available if available < asked => Err(MeasureError::SpaceTooSmall { available, asked }),
                    _ => Ok(drawn),
                };
            }
            Self::These { architectures, .. } => {
                return Ok(architectures.iter().map(|a| (Draw::Uniform, a.clone())).collect());
            }
            Self::Again { round, count } => (round, count),
        };
        let first = store.measurements(hardware, &space.name, Some(0))?;
        if first.len() < count {
            return Err(MeasureError::NothingToRepeat {
                round,
                available: first.len(),
                asked: count,
            });
        }
        let architectures = first
            .iter()
            .filter_map(|m| Some((Draw::Uniform, space.architecture_from_text(&m.architecture).ok()?)));
        Ok(architectures.take(count).collect())
    }
}
