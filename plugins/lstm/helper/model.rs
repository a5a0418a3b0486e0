//! The network: LSTM, connection, linear head.

use lglp_lstm_network::{Connection, Network, Saved};
use lglp_sdk::plugin::{PluginError, Shape};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use crate::torch;

/// Weights of a network, named and shaped as PyTorch's `nn.LSTM` and `nn.Linear` name and shape them.
pub(crate) struct Model {
    pub network: Network,
    pub input: Shape,
    pub tensors: Vec<(String, Tensor)>,
    /// Labels are `(target - mean) / scale`.
    pub mean: f64,
    pub scale: f64,
}

impl Model {
    /// Fresh weights, uniform as PyTorch initialises them: within one over the root of the hidden width, or of the head's
    /// inputs.
    pub(crate) fn new(
        network: Network,
        input: Shape,
        mean: f64,
        scale: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, PluginError> {
        let mut tensors = Vec::new();
        for (name, shape) in network.weights(input) {
            let fan_in = if name.starts_with("head") {
                network.features(input.steps as i64)
            } else {
                network.hidden
            };
            let bound = 1.0 / (fan_in as f32).sqrt();
            let values: Vec<f32> = (0..shape.iter().product::<i64>())
                .map(|_| rng.random_range(-bound..bound))
                .collect();
            let tensor = Tensor::f_from_slice(&values)
                .and_then(|t| t.f_view(shape.as_slice()))
                .map_err(torch)?;
            tensors.push((name, tensor));
        }
        Ok(Self {
            network,
            input,
            tensors,
            mean,
            scale,
        })
    }

    /// Features `[n, d]` of inputs `[n, steps, width]`.
    pub(crate) fn features(&self, inputs: &Tensor, training: bool) -> Result<Tensor, PluginError> {
        let n = self.network;
        let rows = inputs.size()[0];
        let states = [n.layers * n.directions(), rows, n.hidden];
        let zeros = Tensor::f_zeros(states, (Kind::Float, Device::Cpu)).map_err(torch)?;
        let lstm: Vec<&Tensor> = self.tensors[..self.tensors.len() - 2].iter().map(|(_, t)| t).collect();
        let (outputs, last, _) = inputs
            .f_lstm(
                &[&zeros, &zeros],
                &lstm,
                true,
                n.layers,
                0.0,
                training,
                n.bidirectional,
                true,
            )
            .map_err(torch)?;
        match n.connection {
            Connection::Sum => outputs.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float),
            Connection::Concat => outputs.f_reshape([rows, -1]),
            Connection::Last => last
                .f_narrow(0, (n.layers - 1) * n.directions(), n.directions())
                .and_then(|top| top.f_transpose(0, 1))
                .and_then(|top| top.f_reshape([rows, -1])),
        }
        .map_err(torch)
    }

    /// Scaled labels `[n]` of features.
    pub(crate) fn head(&self, features: &Tensor) -> Result<Tensor, PluginError> {
        let [.., (_, weight), (_, bias)] = self.tensors.as_slice() else {
            return Err(PluginError::Failed("the network has no head".into()));
        };
        features
            .f_linear(weight, Some(bias))
            .and_then(|y| y.f_squeeze_dim(1))
            .map_err(torch)
    }

    /// The network as it is written.
    pub(crate) fn saved(self) -> Result<Saved, PluginError> {
        let weight = |(name, tensor): &(String, Tensor)| {
            let mut values = vec![0f32; tensor.numel()];
            let count = values.len();
            let copied = tensor.f_contiguous().and_then(|t| t.f_copy_data(&mut values, count));
            copied.map_err(torch)?;
            Ok((name.clone(), tensor.size(), values))
        };
        Ok(Saved {
            network: self.network,
            input: self.input,
            weights: self.tensors.iter().map(weight).collect::<Result<_, PluginError>>()?,
            mean: self.mean,
            scale: self.scale,
        })
    }
}

/// A copy of encoded rows as `[rows, steps, width]`.
pub(crate) fn tensor(values: &[f32], rows: usize, shape: Shape) -> Result<Tensor, PluginError> {
    let sizes = [rows as i64, shape.steps as i64, shape.width as i64];
    Tensor::f_from_slice(values)
        .and_then(|t| t.f_view(sizes))
        .map_err(torch)
}
