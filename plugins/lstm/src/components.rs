//! The extractor and the regressor over one network.

use lglp_sdk::plugin::{FeatureExtractor, Fit, PluginError, Regressor, Tensor};

use crate::model::Model;
use crate::parameters::Parameters;
use crate::{state, training};

/// The network without its head.
pub(crate) struct Extractor(Model);

impl FeatureExtractor for Extractor {
    const NAME: &'static str = "lstm";
    const SUMMARY: &'static str = "hidden states of an LSTM trained with a linear head";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        training::train(&parameters, &data).map(Self)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(&self.0)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        state::load(version, bytes).map(Self)
    }

    fn features(&self) -> usize {
        self.0.network.features(self.0.input.steps as i64) as usize
    }

    fn extract(&self, inputs: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.0.extract(inputs, out)
    }
}

/// The network with its head.
pub(crate) struct Predictor(Model);

impl Regressor for Predictor {
    const NAME: &'static str = "lstm";
    const SUMMARY: &'static str = "an LSTM with a linear head";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        training::train(&parameters, &data).map(Self)
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
