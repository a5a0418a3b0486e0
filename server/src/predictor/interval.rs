//! Prediction intervals by split conformal prediction (Lei et al., 2018, arXiv:1604.04173), on relative residuals, since
//! errors of latency and energy grow with them.

use serde::{Deserialize, Serialize};

/// The share of intervals that should hold what is measured.
pub const COVERAGE: f64 = 0.9;

/// An interval around a prediction, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    pub coverage: f64,
}

/// `|measured - predicted| / predicted` of rows that the model was not fitted on, sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelativeResiduals(Vec<f64>);

impl RelativeResiduals {
    /// Residuals of predictions against measurements, both in one unit.
    pub fn new(measured: &[f64], predicted: &[f64]) -> Self {
        let mut residuals: Vec<f64> = measured
            .iter()
            .zip(predicted)
            .map(|(m, p)| (m - p).abs() / p.abs())
            .collect();
        residuals.retain(|r| r.is_finite());
        Self::from_stored(residuals)
    }

    /// Residuals as a version of the registry holds them.
    pub fn from_stored(mut residuals: Vec<f64>) -> Self {
        residuals.sort_by(f64::total_cmp);
        Self(residuals)
    }

    pub fn into_vec(self) -> Vec<f64> {
        self.0
    }

    /// The interval around a prediction; `None` where there are too few residuals for the coverage.
    pub fn interval(&self, predicted: f64) -> Option<Interval> {
        // The ceil((n + 1) * coverage)-th smallest residual has the coverage for exchangeable rows of any distribution.
        let rank = ((self.0.len() + 1) as f64 * COVERAGE).ceil() as usize;
        let width = predicted.abs() * self.0.get(rank.checked_sub(1)?)?;
        Some(Interval {
            low: (predicted - width).max(0.0),
            high: predicted + width,
            coverage: COVERAGE,
        })
    }
}
