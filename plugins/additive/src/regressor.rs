//! The regressor `additive`.

use lglp_sdk::plugin::{Design, Fit, LeftOut, PluginError, Progress, Regressor, Sums, Tensor};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::choose::choose;
use crate::fit::{Data, Known, fit};
use crate::model::{Model, SUMS};
use crate::operator::Catalogue;
use crate::state;
use crate::transfer::fit_from;

/// Nothing is to be set: what could be is learned.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct Additive(Model);

impl Regressor for Additive {
    const NAME: &'static str = "additive";
    const SUMMARY: &'static str = "the sum over a network's operators, each with a cost that the device teaches";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        Self::fit_from(parameters, data, &[])
    }

    /// Fits to both parts: it stops by nothing.
    fn fit_from(_: Parameters, data: Fit<'_>, priors: &[&[u8]]) -> Result<Self, PluginError> {
        let sources = priors.iter().map(|prior| state::load(state::VERSION, prior));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let mut catalogue = Catalogue::default();
        let mut networks = catalogue.read(&data.train.inputs)?;
        networks.extend(if data.validation.inputs.rows > 0 {
            catalogue.read(&data.validation.inputs)?
        } else {
            Vec::new()
        });
        let targets = [data.train.targets, data.validation.targets].concat();
        let report = |done, total| {
            (data.progress)(Progress {
                done,
                total,
                train_mse: f64::NAN,
                validation_mse: f64::NAN,
            })
        };
        let data = Data {
            catalogue,
            networks: &networks,
            targets: &targets,
        };
        let model = match sources.is_empty() {
            true => fit(data, Known::default(), &report),
            false => fit_from(&data, &sources, &report),
        };
        model.map(Self)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(&self.0)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        state::load(version, bytes).map(Self)
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        self.0.predict(&inputs, targets)
    }

    fn predict_spread(&self, inputs: Tensor<'_>, targets: &mut [f64], spreads: &mut [f64]) -> Result<(), PluginError> {
        self.0.predict_spread(&inputs, targets, spreads)
    }

    fn difference_spreads(&self, inputs: Tensor<'_>, spreads: &mut [f64]) -> Result<(), PluginError> {
        self.0.difference_spreads(&inputs, spreads)
    }

    fn sums_len(&self) -> usize {
        SUMS
    }

    fn sums(&self, parts: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        self.0.sums_of_parts(&parts, out)
    }

    fn spread_sums_len(&self) -> usize {
        self.0.parts.columns.len()
    }

    fn spread_sums(&self, parts: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.0.halves_of_parts(&parts, out)
    }

    fn predict_sums(
        &self,
        sums: Sums<'_>,
        targets: &mut [f64],
        spreads: Option<&mut [f64]>,
    ) -> Result<(), PluginError> {
        self.0.predict_sums(&sums, targets, spreads)
    }

    fn leave_one_out(&self) -> Result<Vec<LeftOut>, PluginError> {
        if self.0.left_out.is_empty() {
            return Err(PluginError::NotOffered);
        }
        Ok(self.0.left_out.clone())
    }

    fn choose(_: Parameters, design: Design<'_>) -> Result<Vec<usize>, PluginError> {
        choose(&design)
    }

    fn contributions(&self, inputs: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        self.0.contributions(&inputs, out)
    }
}
