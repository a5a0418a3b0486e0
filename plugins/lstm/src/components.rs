//! The extractor and the regressor over one network.

use lglp_lstm_network::{Parameters, VERSION};
use lglp_sdk::plugin::{FeatureExtractor, Fit, PluginError, Regressor, Tensor};

use crate::fitted::Fitted;
use crate::training;

/// The network without its head.
pub(crate) struct Extractor(Fitted);

impl FeatureExtractor for Extractor {
    const NAME: &'static str = "lstm";
    const SUMMARY: &'static str = "hidden states of an LSTM trained with a linear head";
    const STATE_VERSION: u32 = VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        training::train(parameters, &data).map(Self)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.0.state.clone())
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        Fitted::load(version, bytes).map(Self)
    }

    fn features(&self) -> usize {
        self.0.lstm.features()
    }

    fn extract(&self, inputs: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.0.lstm.extract(self.0.values(inputs)?, out);
        Ok(())
    }
}

/// The network with its head.
pub(crate) struct Predictor(Fitted);

impl Regressor for Predictor {
    const NAME: &'static str = "lstm";
    const SUMMARY: &'static str = "an LSTM with a linear head";
    const STATE_VERSION: u32 = VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        training::train(parameters, &data).map(Self)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.0.state.clone())
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        Fitted::load(version, bytes).map(Self)
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        self.0.lstm.predict(self.0.values(inputs)?, targets);
        Ok(())
    }
}
