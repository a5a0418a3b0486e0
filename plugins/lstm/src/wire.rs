//! What the plugin asks its helper, and what that tells.
//!
//! Behind the request the helper reads the rows: for training, and then for validation, all inputs as 32-bit floats and all targets as
//! 64-bit floats, little-endian. It tells of each epoch, and waits for a line before it begins the next.

use lglp_lstm_network::Parameters;
use lglp_sdk::plugin::Progress;
use serde::{Deserialize, Serialize};

/// A network to train.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request {
    pub parameters: Parameters,
    /// Rows.
    pub train: usize,
    /// Rows.
    pub validation: usize,
    /// Of an input.
    pub steps: usize,
    /// Of a step.
    pub width: usize,
    pub seed: u64,
}

/// What the helper tells.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    Epoch(Epoch),
    /// The state, in base64.
    Fitted(String),
}

/// [`Progress`] in JSON, which knows no NaN.
#[derive(Serialize, Deserialize)]
pub(crate) struct Epoch {
    done: u64,
    total: u64,
    train_mse: Option<f64>,
    validation_mse: Option<f64>,
}

impl From<Progress> for Epoch {
    fn from(progress: Progress) -> Self {
        let known = |mse: f64| (!mse.is_nan()).then_some(mse);
        Self {
            done: progress.done,
            total: progress.total,
            train_mse: known(progress.train_mse),
            validation_mse: known(progress.validation_mse),
        }
    }
}

impl From<Epoch> for Progress {
    fn from(epoch: Epoch) -> Self {
        Self {
            done: epoch.done,
            total: epoch.total,
            train_mse: epoch.train_mse.unwrap_or(f64::NAN),
            validation_mse: epoch.validation_mse.unwrap_or(f64::NAN),
        }
    }
}
