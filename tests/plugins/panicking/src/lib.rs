//! Regressor `panics-above`: predicts the mean target, and panics on a row whose values sum to more than a threshold.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! {
    summary: "Panics on some inputs",
    regressors: [PanicsAbove],
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    threshold: f32,
}

struct PanicsAbove {
    threshold: f32,
    mean: f64,
}

impl Regressor for PanicsAbove {
    const NAME: &'static str = "panics-above";
    const SUMMARY: &'static str = "the mean, or a panic";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let targets = data.train.targets;
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let threshold = parameters.threshold;
        Ok(Self { threshold, mean })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok([&self.threshold.to_le_bytes()[..], &self.mean.to_le_bytes()].concat())
    }

    fn load(_: u32, state: &[u8]) -> Result<Self, PluginError> {
        let refused = || PluginError::UnsupportedState("twelve bytes are expected".into());
        let (threshold, mean) = state.split_at_checked(4).ok_or_else(refused)?;
        Ok(Self {
            threshold: f32::from_le_bytes(threshold.try_into().map_err(|_| refused())?),
            mean: f64::from_le_bytes(mean.try_into().map_err(|_| refused())?),
        })
    }

    fn predict(&self, inputs: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        for (row, value) in out.iter_mut().enumerate() {
            let sum: f32 = inputs.row(row).iter().sum();
            assert!(sum <= self.threshold, "{sum} is above {}", self.threshold);
            *value = self.mean;
        }
        Ok(())
    }
}
