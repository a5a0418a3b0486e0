//! Parameters of network and training; defaults are the paper's (section 7.1).

use lglp_sdk::plugin::{PluginError, Shape, work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How hidden states over time become the features (the paper's Fig. 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Connection {
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
pub(crate) enum LabelScaling {
    /// To mean 0 and variance 1 on the training set: hundreds of milliseconds would take thousands of steps of the
    /// optimiser for the head's bias alone.
    Standardize,
    None,
}

/// What the network's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    pub layers: i64,
    pub bidirectional: bool,
    pub hidden: i64,
    pub connection: Connection,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
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
    pub(crate) fn network(&self) -> Result<Network, PluginError> {
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
    /// Refuses passes over so many rows at once that libtorch would take more memory than a training should: for each cell it
    /// keeps seven numbers until the gradients are known, some 2 GiB at the limit.
    pub(crate) fn check_pass(&self, rows: usize, steps: usize) -> Result<(), PluginError> {
        const MOST: usize = 1 << 26;
        let width = (self.layers * self.directions() * self.hidden) as usize;
        let cells = rows.saturating_mul(steps).saturating_mul(width);
        if cells <= MOST {
            return Ok(());
        }
        Err(PluginError::InvalidParameters(format!(
            "{rows} rows at once x {steps} steps x {width} (layers, directions, hidden) are {cells} cells; allowed: {MOST}; \
             lower batch_size, hidden or layers"
        )))
    }

    /// Whether such a network can be built; says what is wrong where it cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=8).contains(&self.layers) {
            return Err(format!("layers is {}; allowed: 1 to 8", self.layers));
        }
        if !(1..=1024).contains(&self.hidden) {
            return Err(format!("hidden is {}; allowed: 1 to 1024", self.hidden));
        }
        Ok(())
    }

    /// Refuses a network that makes too much work of a row: each of its weights but the head's is multiplied once a step.
    pub(crate) fn check_work(&self, input: Shape) -> Result<(), work::TooMuch> {
        let (hidden, directions) = (self.hidden as u64, self.directions() as u64);
        let inner = hidden * directions * (self.layers as u64 - 1);
        let inputs = input.width as u64 + inner + hidden * self.layers as u64;
        let products = (4 * hidden * directions * inputs).saturating_mul(input.steps as u64);
        let head = self.features(input.steps as i64) as u64;
        let size = format_args!(
            "{} layers of {hidden} (hidden) in {directions} directions over {} steps of {} values",
            self.layers, input.steps, input.width
        );
        work::check(products.saturating_add(head) / work::MULTIPLY_ADDS, size)
    }

    pub(crate) fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Width of what the head is fed with.
    pub(crate) fn features(&self, steps: i64) -> i64 {
        let state = self.hidden * self.directions();
        if self.connection == Connection::Concat {
            state * steps
        } else {
            state
        }
    }

    /// Names and shapes of the weights, as PyTorch's `nn.LSTM` and `nn.Linear` name and shape them: four per layer and
    /// direction, then the head's.
    pub(crate) fn weights(&self, input: Shape) -> Vec<(String, Vec<i64>)> {
        let (hidden, directions) = (self.hidden, self.directions());
        let mut weights = Vec::new();
        for layer in 0..self.layers {
            let width = if layer == 0 {
                input.width as i64
            } else {
                hidden * directions
            };
            for suffix in ["", "_reverse"].iter().take(directions as usize) {
                weights.push((format!("lstm.weight_ih_l{layer}{suffix}"), vec![4 * hidden, width]));
                weights.push((format!("lstm.weight_hh_l{layer}{suffix}"), vec![4 * hidden, hidden]));
                weights.push((format!("lstm.bias_ih_l{layer}{suffix}"), vec![4 * hidden]));
                weights.push((format!("lstm.bias_hh_l{layer}{suffix}"), vec![4 * hidden]));
            }
        }
        let features = self.features(input.steps as i64);
        weights.push(("head.weight".into(), vec![1, features]));
        weights.push(("head.bias".into(), vec![1]));
        weights
    }
}
