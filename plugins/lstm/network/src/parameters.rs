//! Parameters of network and training; defaults are the paper's (section 7.1).

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::{Connection, Network};

/// How targets are scaled before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LabelScaling {
    /// To mean 0 and variance 1 on the training set: hundreds of milliseconds would take thousands of steps of the
    /// optimiser for the head's bias alone.
    Standardize,
    /// Not at all.
    None,
}

/// Of a network and its training.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Stacked layers.
    #[schemars(range(min = 1, max = 8))]
    layers: i64,
    /// A second network reads from the last layer to the first.
    bidirectional: bool,
    /// Width of a hidden state, per direction.
    #[schemars(range(min = 1, max = 1024))]
    hidden: i64,
    /// How the hidden states of all steps become one.
    connection: Connection,
    /// Passes over the training set.
    #[schemars(range(min = 1, max = 100000))]
    pub epochs: u64,
    /// Rows of an optimiser step.
    #[schemars(range(min = 1, max = 65536))]
    pub batch_size: usize,
    /// Of Adam.
    #[schemars(range(min = 1e-9, max = 1.0))]
    pub learning_rate: f64,
    /// L2 penalty, as Adam of PyTorch applies it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight_decay: f64,
    /// How targets are scaled before training.
    pub label_scaling: LabelScaling,
    /// Keep the epoch with the least validation error instead of the last one.
    pub keep_best: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            layers: 3,
            bidirectional: true,
            hidden: 64,
            connection: Connection::Sum,
            epochs: 100,
            batch_size: 128,
            learning_rate: 1e-3,
            weight_decay: 3e-4,
            label_scaling: LabelScaling::Standardize,
            keep_best: true,
        }
    }
}

impl Parameters {
    /// The network that is to be trained.
    ///
    /// # Errors
    /// `InvalidParameters`, which names the field.
    pub fn network(&self) -> Result<Network, PluginError> {
        let network = Network {
            layers: self.layers,
            bidirectional: self.bidirectional,
            hidden: self.hidden,
            connection: self.connection,
        };
        network.check().map_err(PluginError::InvalidParameters)?;
        if self.batch_size == 0 || self.epochs == 0 {
            return Err(PluginError::InvalidParameters(
                "batch_size and epochs must be 1 or more".into(),
            ));
        }
        Ok(network)
    }
}
