//! The seeded 80/10/10 split into training, validation and test part.

use lglp_registry::NewVersion;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::TrainError;

/// Row indices of the three parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The rows to fit on.
    pub train: Vec<usize>,
    /// The rows to stop a fit by; regressors that do not stop early may be fitted on them as well.
    pub validation: Vec<usize>,
    /// The rows that nothing is fitted on, to tell the accuracy by; empty where all are fitted on.
    pub test: Vec<usize>,
}

/// Rows below which the parts are too small to say anything.
pub(crate) const FEWEST_ROWS: usize = 30;

impl Split {
    /// How the dataset of a version was cut, where the version tells, as those do that lglp trained.
    pub fn of(content: &NewVersion) -> Option<Self> {
        Self::deserialize(&content.split).ok()
    }

    /// Shuffles `rows` rows by the seed and cuts them: a tenth, rounded, to validation and to test each.
    pub fn new(rows: usize, seed: u64) -> Result<Self, TrainError> {
        if rows < FEWEST_ROWS {
            return Err(TrainError::TooFewRows { rows });
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let tenth = (rows as f64 / 10.0).round() as usize;
        let test = order.split_off(rows - tenth);
        let validation = order.split_off(rows - 2 * tenth);
        Ok(Self {
            train: order,
            validation,
            test,
        })
    }

    /// One of so many folds of rows to test on, the others to train on, but for a tenth of all rows, or the nearest below, to stop
    /// by. Each row is in the test part of one fold.
    pub fn fold(order: &[usize], folds: usize, fold: usize) -> Self {
        let numbered = order.iter().enumerate();
        let (test, others): (Vec<_>, Vec<_>) = numbered.partition(|(at, _)| at % folds == fold);
        let [test, mut train] = [test, others].map(|part| part.into_iter().map(|(_, row)| *row).collect::<Vec<_>>());
        let validation = train.split_off(train.len().saturating_sub(order.len() / 10));
        Self {
            train,
            validation,
            test,
        }
    }

    /// All rows to train on: for regressors that tell themselves how they would do without each.
    pub fn whole(rows: usize) -> Self {
        Self {
            train: (0..rows).collect(),
            validation: Vec::new(),
            test: Vec::new(),
        }
    }

    /// The same test part, but only `rows` rows to train on, and an eighth as many to stop by, as in the whole.
    pub(crate) fn with_train(mut self, rows: usize) -> Self {
        self.train.truncate(rows);
        self.validation.truncate((rows as f64 / 8.0).round().max(1.0) as usize);
        self
    }
}
