//! Which architectures a version is judged by.

use std::collections::HashSet;

use lglp_registry::{Digest, HardwareName};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Rows, ValidateError};
use crate::measure::distinct;
use crate::predictor::{COVERAGE, ModelError, ServedModel};

/// How architectures are chosen from draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Even draws over depth x resolution, as for training.
    Random,
    /// Even over the logarithm of the predicted latency: the rare long ones count as much as the many short ones.
    Stratified,
    /// Where the version and production disagree most.
    Disagreement,
}

/// How many architectures, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Whose measurements.
    #[serde(default)]
    pub on: Rows,
    /// How they are chosen from the draws.
    pub method: Method,
    /// The number of architectures to choose.
    pub n: usize,
    /// The seed of the draws, or of the order in which recorded ones are taken.
    pub seed: u64,
}

/// Fresh draws per architecture that is picked by its prediction.
const DRAWS_PER_PICK: usize = 20;

/// Measuring draws by seeds as well: the same seed must not lead through all that was measured by it once more.
const OWN_SEQUENCE: u64 = 0x9e37_79b9_7f4a_7c15;

impl Selection {
    /// Architectures at least: one alone has no spread to explain.
    pub const LEAST: usize = 2;
    /// Architectures at most.
    pub const MOST: usize = 1000;

    /// Chooses from what `draws` gives: so many architectures, or fewer, where there are no more.
    pub(super) fn choose(
        self,
        draws: &dyn Fn(usize) -> Vec<Architecture>,
        candidate: &ServedModel,
        production: Option<&ServedModel>,
        hardware: &HardwareName,
    ) -> Result<Vec<Architecture>, ValidateError> {
        let Self { on, method, n, .. } = self;
        let picked = match method {
            Method::Random => draws(n),
            Method::Stratified => {
                let draws = draws(n * DRAWS_PER_PICK);
                let latencies = latencies(candidate, &draws)?;
                keep(draws, spread(&latencies, n))
            }
            Method::Disagreement => {
                let production = production.ok_or_else(|| ValidateError::NothingToDisagreeWith {
                    hardware: hardware.clone(),
                })?;
                let draws = draws(n * DRAWS_PER_PICK);
                let (own, other) = (latencies(candidate, &draws)?, latencies(production, &draws)?);
                let distance = |at: usize| (own[at] / other[at]).ln().abs();
                let mut order: Vec<usize> = (0..draws.len()).collect();
                order.sort_by(|a, b| distance(*b).total_cmp(&distance(*a)));
                order.truncate(n);
                keep(draws, order)
            }
        };
        if picked.len() < n {
            let found = picked.len();
            return Err(ValidateError::TooFew { on, found, asked: n });
        }
        Ok(picked)
    }
}

/// So many of some architectures, at random.
pub(super) fn shuffled(mut architectures: Vec<Architecture>, seed: u64, count: usize) -> Vec<Architecture> {
    architectures.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    architectures.truncate(count);
    architectures
}

/// Distinct draws that were never measured.
pub(super) fn fresh(space: &SearchSpace, known: &HashSet<Digest>, seed: u64, count: usize) -> Vec<Architecture> {
    let mut seen = HashSet::new();
    let unknown = |architecture: &Architecture| {
        let digest = Digest::of(space.canonical_text(architecture).as_bytes());
        !known.contains(&digest) && seen.insert(digest)
    };
    distinct(Sampler::new(space, seed ^ OWN_SEQUENCE), count, unknown).collect()
}

fn latencies(model: &ServedModel, architectures: &[Architecture]) -> Result<Vec<f64>, ModelError> {
    // A prediction at or below 0 ms, which linear models make, is as short as can be.
    let floor = |latency: f64| latency.max(f64::MIN_POSITIVE);
    let predicted = model.predict(architectures, COVERAGE)?;
    Ok(predicted.into_iter().map(|p| floor(p.value)).collect())
}

/// The places of `n` values that lie about evenly on a logarithmic scale.
fn spread(values: &[f64], n: usize) -> Vec<usize> {
    let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let low = logarithms.iter().copied().fold(f64::MAX, f64::min);
    let high = logarithms.iter().copied().fold(f64::MIN, f64::max);
    let mut left: Vec<usize> = (0..values.len()).collect();
    let mut picked = Vec::new();
    for step in 0..n {
        let wanted = low + (high - low) * (step as f64 + 0.5) / n as f64;
        let distance = |at: &usize| (logarithms[*at] - wanted).abs();
        let nearest = left
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        let Some((at, _)) = nearest else { break };
        picked.push(left.swap_remove(at));
    }
    picked
}

/// The draws at these places, in the order of the places.
fn keep(draws: Vec<Architecture>, places: Vec<usize>) -> Vec<Architecture> {
    places.into_iter().map(|at| draws[at].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws are mostly short; what is picked is as often long.
    #[test]
    fn strata_are_even_on_a_logarithmic_scale() {
        let values: Vec<f64> = (0..1000).map(|i| 1.0 + 999.0 * (i as f64 / 999.0).powi(8)).collect();
        let picked = spread(&values, 30);
        assert_eq!(picked.iter().collect::<HashSet<_>>().len(), 30);
        for decade in 0..3 {
            let (low, high) = (10f64.powi(decade), 10f64.powi(decade + 1));
            let inside = picked.iter().filter(|at| (low..high).contains(&values[**at])).count();
            assert!((8..=12).contains(&inside), "{inside} of 30 in {low}..{high}");
        }
    }
}
