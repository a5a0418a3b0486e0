//! How onboarding would have gone on a device that is measured already: recorded measurements in the place of new ones, and the error
//! of those that were not chosen.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use lglp_registry::Quantity;
use lglp_sdk::Architecture;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{OnboardError, candidates, sources};
use crate::measure::Setup;
use crate::train::{Metrics, Split, Summary, Training, TrainingData, cores, each, train};

/// Numbers of measurements after which the error is told.
const SIZES: [usize; 7] = [10, 20, 50, 100, 200, 500, 1_000];

/// Measured architectures that are not chosen, at least: they tell the error.
const TESTED: usize = 50;

/// What is rehearsed.
pub struct Rehearsal<'a> {
    /// What is trained, where; its seed does not count.
    pub training: Training<'a>,
    /// Measurements that each way ends with; what else the target has tells the error.
    pub budget: usize,
    /// Whether other targets teach, too.
    pub transfer: bool,
    /// Each way is rehearsed once a seed, with the target's measurements in another order.
    pub seeds: std::ops::Range<u64>,
}

/// A way to begin: which architectures are measured, and whether other targets teach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    /// Whether the recipe's regressor chooses what is measured, where it can; else chance does.
    pub chosen: bool,
    /// Whether the fit begins with what other targets teach.
    pub transfer: bool,
    /// Mean relative error of what was not measured, percent: after so many measurements, mean and standard deviation over the seeds.
    pub errors: Vec<(usize, f64, f64)>,
}

impl Rehearsal<'_> {
    /// Each way, the best one first. `progress` is told how many of how many fits are done.
    pub fn run(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<(Vec<Way>, Vec<String>), OnboardError> {
        let Training {
            store, space, hardware, ..
        } = self.training;
        let data = TrainingData::measured(store, hardware, space, Quantity::Latency)?;
        let rows = data.labels.len();
        let mut sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size < self.budget).collect();
        sizes.push(self.budget);
        if rows < self.budget + TESTED {
            let (needed, budget) = (self.budget + TESTED, self.budget);
            return Err(OnboardError::NothingToRehearse { rows, needed, budget });
        }
        let training = |seed| Training { seed, ..self.training };
        let batch = Setup::of_target(&store.hardware(hardware)?).batch;
        let found = match self.transfer {
            true => sources::sources(&training(0), batch, None, &mut |_| Ok::<_, OnboardError>(()), &|| false)?,
            false => Vec::new(),
        };
        let priors: Vec<Vec<u8>> = found.iter().map(|source| source.state.clone()).collect();
        let ways: Vec<(bool, bool)> = [(true, true), (false, true), (true, false), (false, false)]
            .into_iter()
            .filter(|(_, transfer)| !transfer || !priors.is_empty())
            .collect();
        let mut cells = Vec::new();
        for seed in self.seeds.clone() {
            let mut order: Vec<usize> = (0..rows).collect();
            order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
            let pool: Vec<Architecture> = order
                .iter()
                .take(candidates::DRAWN)
                .map(|row| data.architectures[*row].clone())
                .collect();
            for (way, (chosen, transfer)) in ways.iter().enumerate() {
                let picked = if *chosen {
                    let priors = if *transfer { &priors[..] } else { &[] };
                    let best = candidates::choose_of(&training(seed), priors, &[], &pool, self.budget)?;
                    best.into_iter().map(|at| order[at]).collect()
                } else {
                    order.clone()
                };
                for (at, size) in sizes.iter().enumerate() {
                    cells.push((seed, way, at, picked[..*size].to_vec()));
                }
            }
        }
        let (done, all) = (AtomicUsize::new(0), cells.len());
        let errors = each(&cells, cores(), |(seed, way, _, picked)| {
            let known: HashSet<usize> = picked.iter().copied().collect();
            let others: Vec<usize> = (0..rows).filter(|row| !known.contains(row)).collect();
            let (measured, tested) = (data.part(picked), data.part(&others));
            let priors = if ways[*way].1 { &priors[..] } else { &[] };
            let training = training(*seed);
            let trained = train(
                training.fitting(priors),
                &measured,
                Split::whole(picked.len()),
                &mut |_| true,
            )?;
            let predicted = trained.model.predict(tested.architectures.iter())?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
            Ok::<_, OnboardError>(Metrics::of(&tested.labels, &predicted).mape)
        })?;
        let told = ways.iter().enumerate().map(|(number, (chosen, transfer))| Way {
            chosen: *chosen,
            transfer: *transfer,
            errors: sizes
                .iter()
                .enumerate()
                .map(|(at, size)| {
                    let of = cells
                        .iter()
                        .zip(&errors)
                        .filter(|((_, w, a, _), _)| (*w, *a) == (number, at));
                    let Summary { mean, sd, .. } = Summary::of(of.map(|(_, error)| *error).collect());
                    (*size, mean, sd)
                })
                .collect(),
        });
        Ok((
            told.collect(),
            found.iter().map(|source| source.hardware.to_string()).collect(),
        ))
    }
}
