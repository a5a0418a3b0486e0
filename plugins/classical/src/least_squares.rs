//! Ordinary least squares.

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::design::{Decomposition, Design};
use crate::linear_model::Method;

/// scikit-learn's `LinearRegression` has nothing to set.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) enum LeastSquares {}

impl Method for LeastSquares {
    const NAME: &'static str = "linear";
    const SUMMARY: &'static str = "ordinary least squares, of minimum norm where inputs are dependent";
    type Parameters = Parameters;

    fn coefficients(_: &Parameters, design: &Design) -> Result<Vec<f64>, PluginError> {
        let parts = Decomposition::of(design)?;
        // Directions that the data do not span have singular values of rounding errors; dividing by these would amplify them.
        let (rows, width) = (design.inputs.nrows(), design.inputs.ncols());
        let largest = parts.singular_values.first().copied().unwrap_or(0.0);
        let cutoff = largest * f64::EPSILON * rows.max(width) as f64;
        let along = parts.singular_values.iter().zip(&parts.rotated_targets);
        let weights: Vec<f64> = along.map(|(s, t)| if *s > cutoff { t / s } else { 0.0 }).collect();
        Ok(parts.coefficients(&weights))
    }
}
