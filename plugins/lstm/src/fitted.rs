//! A fitted network.

use lglp_lstm_network::{Lstm, Saved, VERSION};
use lglp_sdk::plugin::{PluginError, Tensor};

/// A fitted network, and the state that it was read from.
pub(crate) struct Fitted {
    pub lstm: Lstm,
    pub state: Vec<u8>,
}

impl Fitted {
    pub(crate) fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        Ok(Self {
            lstm: Lstm::new(&Saved::read(version, state)?),
            state: state.to_vec(),
        })
    }

    /// What a training gave.
    pub(crate) fn trained(state: &[u8]) -> Result<Self, PluginError> {
        Self::load(VERSION, state)
    }

    /// The values of inputs that are as those that the network was fitted on.
    pub(crate) fn values<'a>(&self, inputs: Tensor<'a>) -> Result<&'a [f32], PluginError> {
        let input = self.lstm.input();
        if inputs.shape == input {
            return Ok(inputs.data);
        }
        Err(PluginError::Failed(format!(
            "rows are {} x {} (steps x width); the model was fitted on {} x {}",
            inputs.shape.steps, inputs.shape.width, input.steps, input.width
        )))
    }
}
