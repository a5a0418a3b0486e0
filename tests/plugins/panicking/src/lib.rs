//! Regressors that are broken. `panics-above` predicts the mean target, and panics on a row whose values sum to more than a threshold;
//! `mean-and-sums` predicts the mean, and half of it, or nothing, by sums over the parts of networks.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Sums, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! {
    summary: "Panics on some inputs, and disagrees with itself",
    regressors: [PanicsAbove, MeanAndSums],
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

/// What is wrong with sums.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    /// They tell half of what is predicted.
    Disagree,
    Fail,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SumsParameters {
    sums: Fault,
}

#[derive(Serialize, Deserialize)]
struct MeanAndSums {
    sums: Fault,
    mean: f64,
}

impl Regressor for MeanAndSums {
    const NAME: &'static str = "mean-and-sums";
    const SUMMARY: &'static str = "the mean, and something else by sums";
    const STATE_VERSION: u32 = 1;
    type Parameters = SumsParameters;

    fn fit(parameters: SumsParameters, data: Fit<'_>) -> Result<Self, PluginError> {
        Ok(Self {
            sums: parameters.sums,
            mean: mean(data.train.targets),
        })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(self).map_err(PluginError::failed)
    }

    fn load(_: u32, state: &[u8]) -> Result<Self, PluginError> {
        serde_json::from_slice(state).map_err(PluginError::failed)
    }

    fn predict(&self, _: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        out.fill(self.mean);
        Ok(())
    }

    fn sums_len(&self) -> usize {
        1
    }

    fn sums(&self, _: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        if self.sums == Fault::Fail {
            return Err(PluginError::Failed("a part cannot be told".into()));
        }
        out.fill(0.0);
        Ok(())
    }

    fn predict_sums(&self, _: Sums<'_>, out: &mut [f64], _: Option<&mut [f64]>) -> Result<(), PluginError> {
        out.fill(self.mean / 2.0);
        Ok(())
    }
}
