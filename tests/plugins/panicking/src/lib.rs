//! Regressors that are broken. `panics-above` predicts the mean target, and panics on a row whose values sum to more than a threshold;
//! `disagrees` predicts the mean, and half of it by sums over the parts of networks.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Sums, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! {
    summary: "Panics on some inputs, and disagrees with itself",
    regressors: [PanicsAbove, Disagrees],
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
        let mean = mean(data.train.targets);
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

fn mean(targets: &[f64]) -> f64 {
    targets.iter().sum::<f64>() / targets.len() as f64
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameterless {}

struct Disagrees {
    mean: f64,
}

impl Regressor for Disagrees {
    const NAME: &'static str = "disagrees";
    const SUMMARY: &'static str = "the mean, or half of it";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameterless;

    fn fit(_: Parameterless, data: Fit<'_>) -> Result<Self, PluginError> {
        let mean = mean(data.train.targets);
        Ok(Self { mean })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.mean.to_le_bytes().into())
    }

    fn load(_: u32, state: &[u8]) -> Result<Self, PluginError> {
        let refused = |_| PluginError::UnsupportedState("eight bytes are expected".into());
        let mean = f64::from_le_bytes(state.try_into().map_err(refused)?);
        Ok(Self { mean })
    }

    fn predict(&self, _: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        out.fill(self.mean);
        Ok(())
    }

    fn sums_len(&self) -> usize {
        1
    }

    fn sums(&self, _: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        out.fill(0.0);
        Ok(())
    }

    fn predict_sums(&self, _: Sums<'_>, out: &mut [f64], _: Option<&mut [f64]>) -> Result<(), PluginError> {
        out.fill(self.mean / 2.0);
        Ok(())
    }
}
