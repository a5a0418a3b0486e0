//! Search for networks that are fast and score well: evolution by NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Transactions on
//! Evolutionary Computation 6, 2002), each candidate's latency being predicted and none measured.

mod front;
mod score;
mod variation;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use lglp_sdk::{Architecture, Sampler};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::Serialize;

pub use score::{Score, ScoreError};

use crate::measure::distinct;
use crate::predictor::{COVERAGE, ModelError, NoInterval, ServedModel};
use crate::train::each;
use front::{Point, better_half, tournament};
use variation::Variation;

/// Networks that live at once; as many children are born in each generation.
const POPULATION: usize = 500;

/// Networks that are predicted by one core at once.
const PART: usize = 125;

/// What is searched.
pub struct Search<'a> {
    /// What tells how long networks take; it has to be a version of latencies.
    pub model: &'a ServedModel,
    /// The most that a network may take, milliseconds.
    pub most_ms: Option<f64>,
    /// Whether the upper end of its interval counts, in the place of the prediction.
    pub upper: bool,
    /// Distinct networks that are looked at.
    pub candidates: usize,
    /// The seed of the first networks, and of all chance after them.
    pub seed: u64,
    /// Threads that predict.
    pub threads: usize,
}

/// A network, how long it takes and what it scores.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// Canonical text.
    pub architecture: String,
    /// Predicted; the upper end of its interval where that was asked for.
    pub latency_ms: f64,
    /// What the network scores, the more the better.
    pub score: f64,
    /// In what it lies outside of the model's training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_training_range: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Found {
    /// Those that none is both faster and better than, the fastest first.
    pub front: Vec<Candidate>,
    /// Distinct networks that were looked at.
    pub candidates: usize,
    /// The time of the search, seconds.
    pub seconds: f64,
}

/// Why a search ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The version could not predict a network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A network could not be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// No interval to take the end of.
    #[error("the version has no interval to take the end of ({0}); search by its predictions")]
    NoInterval(NoInterval),
    /// The version of this number predicts energies.
    #[error("version {0} predicts energies; search by a version of latencies")]
    NotLatency(u32),
    /// It was to end.
    #[error("stopped")]
    Stopped,
}

/// A network of the population.
struct Individual {
    architecture: Architecture,
    point: Point,
}

impl Search<'_> {
    /// Searches until it has looked at so many networks, or finds no new ones. `progress` is told how many that are, and ends it with `false`.
    pub fn run(&self, score: &mut Score, progress: &mut dyn FnMut(usize) -> bool) -> Result<Found, SearchError> {
        if !self.model.quantity().is_latency() {
            return Err(SearchError::NotLatency(self.model.version));
        }
        let space = &self.model.space;
        let started = Instant::now();
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut seen = HashSet::new();
        let mut fresh = |architecture: &Architecture| {
            let mut hasher = DefaultHasher::new();
            architecture.row().hash(&mut hasher);
            seen.insert(hasher.finish())
        };
        let first = POPULATION.min(self.candidates);
        let first: Vec<Architecture> = distinct(Sampler::new(space, self.seed), first, &mut fresh).collect();
        let mut looked_at = first.len();
        let mut population = better_half(self.evaluate(first, score)?, POPULATION);
        let mut variation = Variation::new(space);
        while looked_at < self.candidates {
            if !progress(looked_at) {
                return Err(SearchError::Stopped);
            }
            let wanted = POPULATION.min(self.candidates - looked_at);
            let mut children = Vec::with_capacity(wanted);
            for _ in 0..20 * wanted {
                if children.len() == wanted {
                    break;
                }
                let [a, b] = [tournament(&population, &mut rng), tournament(&population, &mut rng)];
                let child = variation.child(&population[a].0.architecture, &population[b].0.architecture, &mut rng);
                if let Some(child) = child.filter(|child| fresh(child)) {
                    children.push(child);
                }
            }
            if children.is_empty() {
                break;
            }
            looked_at += children.len();
            let mut all: Vec<Individual> = population.into_iter().map(|(individual, _)| individual).collect();
            all.extend(self.evaluate(children, score)?);
            population = better_half(all, POPULATION);
        }
        progress(looked_at);
        let best = population
            .iter()
            .filter(|(individual, place)| place.rank == 0 && individual.point.excess == 0.0);
        let best: Vec<&Individual> = best.map(|(individual, _)| individual).collect();
        let architectures: Vec<Architecture> = best.iter().map(|one| one.architecture.clone()).collect();
        let told = self.model.predict(&architectures, COVERAGE)?;
        let told = best.iter().zip(told);
        let mut front: Vec<Candidate> = told
            .map(|(individual, predicted)| Candidate {
                architecture: space.canonical_text(&individual.architecture),
                latency_ms: individual.point.latency_ms,
                score: individual.point.score,
                outside_training_range: predicted.outside_training_range,
            })
            .collect();
        front.sort_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms));
        // Of networks that are alike in both, one is enough.
        front.dedup_by(|a, b| (a.latency_ms, a.score) == (b.latency_ms, b.score));
        Ok(Found {
            front,
            candidates: looked_at,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    fn evaluate(&self, architectures: Vec<Architecture>, score: &mut Score) -> Result<Vec<Individual>, SearchError> {
        let parts: Vec<&[Architecture]> = architectures.chunks(PART).collect();
        let latencies = each(&parts, self.threads, |part| self.latencies(part))?.concat();
        let scores = score.of(self.model, &architectures)?;
        let told = architectures.into_iter().zip(latencies.into_iter().zip(scores));
        Ok(told
            .map(|(architecture, (latency_ms, score))| Individual {
                architecture,
                point: Point {
                    latency_ms,
                    score,
                    excess: self.most_ms.map_or(0.0, |most| (latency_ms - most).max(0.0)),
                },
            })
            .collect())
    }

    fn latencies(&self, architectures: &[Architecture]) -> Result<Vec<f64>, SearchError> {
        if !self.upper {
            return Ok(self.model.finite_values(architectures)?);
        }
        let predicted = self.model.predict(architectures, COVERAGE)?;
        let upper = predicted.iter().map(|p| p.interval.map(|interval| interval.high));
        upper.collect::<Result<_, _>>().map_err(SearchError::NoInterval)
    }
}
