//! Ordinary least squares.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::design::{Decomposition, Design};
use crate::linear_model::LinearModel;
use crate::state;

/// scikit-learn's `LinearRegression` has nothing to set.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {}

pub struct Linear(LinearModel);

impl Regressor for Linear {
    const NAME: &'static str = "linear";
    const SUMMARY: &'static str = "ordinary least squares, of minimum norm where inputs are dependent";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(_: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let design = Design::new(&data)?;
        let parts = Decomposition::of(&design)?;
        // Directions that the data do not span have singular values of rounding errors; dividing by these would amplify them.
        let (rows, width) = (design.inputs.nrows(), design.inputs.ncols());
        let largest = parts.singular_values.first().copied().unwrap_or(0.0);
        let cutoff = largest * f64::EPSILON * rows.max(width) as f64;
        let along = parts.singular_values.iter().zip(&parts.rotated_targets);
        let weights: Vec<f64> = along.map(|(s, t)| if *s > cutoff { t / s } else { 0.0 }).collect();
        Ok(Self(design.model(parts.coefficients(&weights))))
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(&self.0)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        state::load(version, bytes).map(Self)
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        self.0.predict(inputs, targets)
    }
}
