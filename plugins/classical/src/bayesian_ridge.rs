//! Bayesian ridge regression: the ridge's strength is fitted by the evidence (MacKay, 1992; Tipping, 2001).

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::design::{Decomposition, Design};
use crate::linear_model::Method;

/// scikit-learn's names and defaults.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Updates at most.
    #[schemars(range(min = 1, max = 100000))]
    max_iter: u32,
    /// Updates end when the coefficients change by less in sum.
    #[schemars(range(min = 0.0))]
    tol: f64,
    /// Shape of the gamma prior over the precision of the noise.
    #[schemars(range(min = 0.0))]
    alpha_1: f64,
    /// Rate of the gamma prior over the precision of the noise.
    #[schemars(range(min = 0.0))]
    alpha_2: f64,
    /// Shape of the gamma prior over the precision of the coefficients.
    #[schemars(range(min = 0.0))]
    lambda_1: f64,
    /// Rate of the gamma prior over the precision of the coefficients.
    #[schemars(range(min = 0.0))]
    lambda_2: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            max_iter: 300,
            tol: 1e-3,
            alpha_1: 1e-6,
            alpha_2: 1e-6,
            lambda_1: 1e-6,
            lambda_2: 1e-6,
        }
    }
}

pub(crate) enum BayesianRidge {}

impl Method for BayesianRidge {
    const NAME: &'static str = "bayesian-ridge";
    const SUMMARY: &'static str = "ridge regression whose strength is fitted by the evidence";
    type Parameters = Parameters;

    fn coefficients(parameters: &Parameters, design: &Design) -> Result<Vec<f64>, PluginError> {
        let parts = Decomposition::of(design)?;
        let rows = design.targets.len() as f64;
        let sum_of_squares: f64 = design.targets.iter().map(|t| t * t).sum();
        let along = || parts.singular_values.iter().zip(&parts.rotated_targets);
        // What no coefficients can explain; the rest of the error is a sum over the singular directions.
        let unexplained = sum_of_squares - parts.rotated_targets.iter().map(|t| t * t).sum::<f64>();
        let weights = |ratio: f64| -> Vec<f64> { along().map(|(s, t)| s * t / (s * s + ratio)).collect() };

        let (mut alpha, mut lambda) = (1.0 / (sum_of_squares / rows + f64::EPSILON), 1.0);
        let mut previous: Option<Vec<f64>> = None;
        for _ in 0..parameters.max_iter {
            let current = weights(lambda / alpha);
            let errors = along().zip(&current).map(|((s, t), w)| (t - s * w).powi(2));
            let squared_error = unexplained + errors.sum::<f64>();
            let squared_norm: f64 = current.iter().map(|w| w * w).sum();
            let eigenvalues = parts.singular_values.iter().map(|s| alpha * s * s);
            let effective: f64 = eigenvalues.map(|e| e / (lambda + e)).sum();
            lambda = (effective + 2.0 * parameters.lambda_1) / (squared_norm + 2.0 * parameters.lambda_2);
            alpha = (rows - effective + 2.0 * parameters.alpha_1) / (squared_error + 2.0 * parameters.alpha_2);
            let coefficients = parts.coefficients(&current);
            let change = previous.map(|p| p.iter().zip(&coefficients).map(|(a, b)| (a - b).abs()).sum::<f64>());
            if change.is_some_and(|c| c < parameters.tol) {
                break;
            }
            previous = Some(coefficients);
        }
        Ok(parts.coefficients(&weights(lambda / alpha)))
    }
}
