//! The seeded 80/10/10 split into training, validation and test part.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::TrainError;

/// Row indices of the three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
}

/// Rows below which the parts are too small to say anything.
pub const FEWEST_ROWS: usize = 30;

impl Split {
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

    /// All rows to train on: for regressors that tell themselves how they would do without each.
    pub fn whole(rows: usize) -> Self {
        Self {
            train: (0..rows).collect(),
            validation: Vec::new(),
            test: Vec::new(),
        }
    }

    /// The same test part, but only `rows` rows to train on, and an eighth as many to stop by, as in the whole.
    pub fn with_train(mut self, rows: usize) -> Self {
        self.train.truncate(rows);
        self.validation.truncate((rows as f64 / 8.0).round().max(1.0) as usize);
        self
    }
}
