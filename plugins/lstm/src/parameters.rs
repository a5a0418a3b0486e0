//! Parameters of network and training; defaults are the paper's (section 7.1).

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How hidden states over time become the features (the paper's Fig. 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Their sum.
    Sum,
    /// The last one, of each direction.
    Last,
    /// All of them, one after another.
    Concat,
}

/// How targets are scaled before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LabelScaling {
    /// To mean 0 and variance 1 on the training set: hundreds of milliseconds would take thousands of steps of the
    /// optimiser for the head's bias alone.
    Standardize,
    None,
}

/// What the network's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub layers: i64,
    pub bidirectional: bool,
    pub hidden: i64,
    pub connection: Connection,
}

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

impl Network {
    /// Whether such a network can be built; says what is wrong where it cannot.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=8).contains(&self.layers) {
            return Err(format!("layers is {}; allowed: 1 to 8", self.layers));
        }
        if !(1..=1024).contains(&self.hidden) {
            return Err(format!("hidden is {}; allowed: 1 to 1024", self.hidden));
        }
        Ok(())
    }

    pub fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Width of what the head is fed with.
    pub fn features(&self, steps: i64) -> i64 {
        let state = self.hidden * self.directions();
        if self.connection == Connection::Concat {
            state * steps
        } else {
            state
        }
    }
}
