//! How the error shrinks with the size of a network: the scale of the second stage.

use serde::{Deserialize, Serialize};

use crate::columns::median;
use crate::evidence::Without;

/// How the error of networks shrinks with their size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    /// The median prior cost of the training, milliseconds.
    pub median: f64,
    /// The slope of the logarithm of the relative error over that of the prior cost, -1 to 0.
    pub slope: f64,
}

impl Size {
    pub(crate) fn of(sums: &[f64], left_out: &[Without]) -> Self {
        let points = sums.iter().zip(left_out).filter(|(_, without)| without.residual != 0.0);
        let points: Vec<(f64, f64)> = points
            .map(|(m, without)| (m.ln(), without.residual.abs().ln()))
            .collect();
        let count = points.len() as f64;
        let (x, y) = points
            .iter()
            .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
        let (covariance, variance) = points.iter().fold((0.0, 0.0), |(c, v), (px, py)| {
            (c + (px - x) * (py - y), v + (px - x) * (px - x))
        });
        let slope = if variance > 1e-9 { covariance / variance } else { 0.0 };
        Self {
            median: median(sums),
            slope: slope.clamp(-1.0, 0.0),
        }
    }

    /// The scale of the second stage's error, of a network of prior cost `m` that the first stage says takes `fit`; milliseconds.
    pub(crate) fn scale(&self, m: f64, fit: f64) -> f64 {
        fit.clamp(0.4 * m, 2.5 * m) * (m / self.median).powf(self.slope)
    }
}
