//! The shape of a network.

use lglp_sdk::plugin::{PluginError, Shape, work};
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

/// What the network's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Stacked layers.
    pub layers: i64,
    /// A second network reads from the last step to the first.
    pub bidirectional: bool,
    /// Width of a hidden state, per direction.
    pub hidden: i64,
    /// How the hidden states of all steps become one.
    pub connection: Connection,
}

impl Network {
    /// Refuses passes over so many rows at once that libtorch would take more memory than a training should: for each cell it
    /// keeps seven numbers until the gradients are known, some 2 GiB at the limit.
    pub fn check_pass(&self, rows: usize, steps: usize) -> Result<(), PluginError> {
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
    pub fn check(&self) -> Result<(), String> {
        if !(1..=8).contains(&self.layers) {
            return Err(format!("layers is {}; allowed: 1 to 8", self.layers));
        }
        if !(1..=1024).contains(&self.hidden) {
            return Err(format!("hidden is {}; allowed: 1 to 1024", self.hidden));
        }
        Ok(())
    }

    /// Refuses a network that makes too much work of a row: each of its weights but the head's is multiplied once a step.
    pub fn check_work(&self, input: Shape) -> Result<(), work::TooMuch> {
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

    /// 1 or 2.
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

    /// Names and shapes of the weights, as PyTorch's `nn.LSTM` and `nn.Linear` name and shape them: four per layer and
    /// direction, then the head's.
    pub fn weights(&self, input: Shape) -> Vec<(String, Vec<i64>)> {
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
