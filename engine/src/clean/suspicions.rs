//! Suspicious measurements: those that a model which never saw them contradicts most.

use lglp_sdk::SearchSpace;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::host::PluginHost;
use crate::measure::median;
use crate::predictor::{Fitting, Recipe};
use crate::train::{Split, TrainError, TrainingData, cores, each, train};

/// A measurement beside what a model that was not fitted on it predicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Suspicion {
    /// Row of the data.
    pub row: usize,
    pub predicted_ms: f64,
    /// How many robust standard deviations the logarithm of measured over predicted is from the median.
    pub score: f64,
}

/// Scores every row, the most suspicious first. The data are cut into `folds`; each is predicted by a model that was fitted on
/// the others; `progress` is called as each is done. Scores are of logarithms, for errors grow with latency, and robust, for outliers must not hide each other.
pub(crate) fn suspicions(
    recipe: &Recipe,
    host: &PluginHost,
    space: &SearchSpace,
    data: &TrainingData,
    folds: usize,
    seed: u64,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Suspicion>, TrainError> {
    let rows = data.architectures.len();
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let judge = |fold: &usize| -> Result<Vec<(usize, f64)>, TrainError> {
        let fitting = Fitting {
            recipe,
            host,
            space,
            seed,
            priors: &[],
        };
        let trained = train(fitting, data, Split::fold(&order, folds, *fold), &mut |_| true)?;
        progress();
        let predicted = trained.predicted();
        Ok(trained.split.test.into_iter().zip(predicted).collect())
    };
    let mut predicted = vec![f64::NAN; rows];
    for (row, value) in each(&(0..folds).collect::<Vec<_>>(), cores(), judge)?.concat() {
        predicted[row] = value;
    }
    // What is predicted at or below 0 says nothing of the measurement.
    let residual = |row: &usize| (data.labels[*row] / predicted[*row]).ln();
    let judged: Vec<usize> = (0..rows).filter(|row| residual(row).is_finite()).collect();
    let residuals: Vec<f64> = judged.iter().map(residual).collect();
    let center = median(&residuals);
    let deviations: Vec<f64> = residuals.iter().map(|r| (r - center).abs()).collect();
    // Of a normal distribution, the median deviation times this is the standard deviation.
    let scale = 1.4826 * median(&deviations);
    let mut suspicions: Vec<Suspicion> = judged
        .iter()
        .zip(&residuals)
        .map(|(row, residual)| Suspicion {
            row: *row,
            predicted_ms: predicted[*row],
            score: (residual - center) / scale,
        })
        .collect();
    suspicions.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    Ok(suspicions)
}
