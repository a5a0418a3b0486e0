//! What every linear regressor ends up as: coefficients and an intercept.

use lglp_sdk::plugin::{PluginError, Tensor};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearModel {
    /// One per input.
    pub coefficients: Vec<f64>,
    pub intercept: f64,
}

impl LinearModel {
    pub fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(&inputs, self.coefficients.len())?;
        for (row, target) in targets.iter_mut().enumerate() {
            let products = inputs.row(row).iter().zip(&self.coefficients);
            *target = self.intercept + products.map(|(x, c)| f64::from(*x) * c).sum::<f64>();
        }
        Ok(())
    }
}

/// Refuses rows of another width than the model was fitted on.
pub fn check_width(inputs: &Tensor<'_>, fitted: usize) -> Result<(), PluginError> {
    let width = inputs.shape.len();
    if width == fitted {
        return Ok(());
    }
    Err(PluginError::Failed(format!(
        "rows have {width} values; the model was fitted on {fitted}"
    )))
}
