//! What every linear regressor shares: methods give coefficients, and the rest is the same.

use std::marker::PhantomData;

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor, work};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::design::Design;
use crate::state;

/// A way of fitting coefficients to centred inputs and targets.
pub(crate) trait Method: Send + Sync + 'static {
    const NAME: &'static str;
    const SUMMARY: &'static str;
    type Parameters: DeserializeOwned + JsonSchema;

    fn coefficients(parameters: &Self::Parameters, design: &Design) -> Result<Vec<f64>, PluginError>;
}

/// A linear model, fitted by a method.
pub(crate) struct Linear<M> {
    model: Model,
    method: PhantomData<M>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    /// One per input.
    coefficients: Vec<f64>,
    intercept: f64,
}

impl<M: Method> Regressor for Linear<M> {
    const NAME: &'static str = M::NAME;
    const SUMMARY: &'static str = M::SUMMARY;
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = M::Parameters;

    fn fit(parameters: M::Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let design = Design::new(&data.train)?;
        let coefficients = M::coefficients(&parameters, &design)?;
        let model = Model {
            intercept: design.intercept(&coefficients),
            coefficients,
        };
        let method = PhantomData;
        Ok(Self { model, method })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(&self.model)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        let model: Model = state::load(version, bytes)?;
        let coefficients = model.coefficients.len() as u64;
        work::check(coefficients, format_args!("{coefficients} coefficients"))?;
        let method = PhantomData;
        Ok(Self { model, method })
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        let Model {
            coefficients,
            intercept,
        } = &self.model;
        check_width(&inputs, coefficients.len())?;
        for (row, target) in targets.iter_mut().enumerate() {
            let products = inputs.row(row).iter().zip(coefficients);
            *target = intercept + products.map(|(x, c)| f64::from(*x) * c).sum::<f64>();
        }
        Ok(())
    }
}

/// Refuses rows of another width than the model was fitted on.
pub(crate) fn check_width(inputs: &Tensor<'_>, fitted: usize) -> Result<(), PluginError> {
    let width = inputs.shape.len();
    if width == fitted {
        return Ok(());
    }
    Err(PluginError::Failed(format!(
        "rows have {width} values; the model was fitted on {fitted}"
    )))
}
