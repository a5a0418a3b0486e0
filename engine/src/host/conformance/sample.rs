//! What extractors and regressors are fitted on while they are checked.

use lglp_sdk::plugin::Shape;
use lglp_sdk::{Sampler, SearchSpace};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Subject;
use crate::host::{ComponentHandle, EncoderInstance, FitData, FittedInstance, LabelledRows, Matrix, PluginError};
use crate::networks;

/// Rows to fit on, for early stopping, and to look at.
const TRAIN: usize = 240;
const VALIDATION: usize = 60;
const TEST: usize = 100;

/// Features of rows that are made up.
const WIDTH: usize = 8;

/// Rows and what is to be predicted of them.
pub(super) struct Sample {
    inputs: Matrix,
    /// As latencies are: above 0.
    targets: Vec<f64>,
}

impl Sample {
    /// Features in [0, 1), of which four matter.
    pub(super) fn made_up() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let rows = TRAIN + VALIDATION + TEST;
        let data: Vec<f32> = (0..rows * WIDTH).map(|_| random.random()).collect();
        let targets = data.chunks_exact(WIDTH).map(|row| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|column| f64::from(row[column]));
            5.0 + 10.0 * a + 5.0 * b + 3.0 * c * c + 2.0 * a * d
        });
        Self {
            targets: targets.collect(),
            inputs: Matrix {
                rows,
                shape: Shape { steps: 1, width: WIDTH },
                data,
            },
        }
    }

    /// Tables of operators of a space's networks, and their multiply-accumulates.
    fn of_networks(encoder: &ComponentHandle, space: &SearchSpace) -> Result<Self, PluginError> {
        let some = networks::some(space, Sampler::new(space, 0), TRAIN + VALIDATION + TEST);
        let macs = some.iter().map(|one| networks::macs_if_any(space, one) as f64 / 1e8);
        Ok(Self {
            targets: macs.collect(),
            inputs: EncoderInstance::new(encoder, space, &serde_json::json!({}))?.encode(some.iter())?,
        })
    }

    /// What a component takes: features that are made up, or else tables of operators.
    ///
    /// # Errors
    /// Why it takes neither.
    pub(super) fn suiting(subject: &Subject) -> Result<(Self, FittedInstance), PluginError> {
        let made_up = Self::made_up();
        let refused = match made_up.fit(subject) {
            Ok(fitted) => return Ok((made_up, fitted)),
            Err(error @ (PluginError::Panicked { .. } | PluginError::Unavailable { .. })) => return Err(error),
            Err(error) => error,
        };
        let space = subject.spaces.iter().find(|space| space.has_networks());
        let (Some(encoder), Some(space)) = (&subject.operators, space) else {
            return Err(refused);
        };
        let of_networks = Self::of_networks(encoder, space)?;
        let fitted = of_networks.fit(subject)?;
        Ok((of_networks, fitted))
    }

    /// Fits the component.
    pub(super) fn fit(&self, subject: &Subject) -> Result<FittedInstance, PluginError> {
        subject.handle.check_parameters(&subject.parameters)?;
        self.fit_unchecked(&subject.handle, &subject.parameters)
    }

    /// The same with parameters that its schema may refuse.
    pub(super) fn fit_unchecked(
        &self,
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
    ) -> Result<FittedInstance, PluginError> {
        let train: Vec<usize> = (0..TRAIN).collect();
        let validation: Vec<usize> = (TRAIN..TRAIN + VALIDATION).collect();
        let (train_inputs, validation_inputs) = (self.inputs.part(&train), self.inputs.part(&validation));
        let data = FitData {
            train: LabelledRows {
                inputs: &train_inputs,
                targets: &self.targets[..TRAIN],
            },
            validation: LabelledRows {
                inputs: &validation_inputs,
                targets: &self.targets[TRAIN..TRAIN + VALIDATION],
            },
            seed: 0,
            progress: &mut |_| true,
        };
        FittedInstance::fit_unchecked(handle, parameters, data, &[])
    }

    /// Rows that nothing was fitted on.
    pub(super) fn test(&self) -> Matrix {
        let rows: Vec<usize> = (TRAIN + VALIDATION..self.targets.len()).collect();
        self.inputs.part(&rows)
    }

    /// What is to be predicted of them.
    pub(super) fn test_targets(&self) -> &[f64] {
        &self.targets[TRAIN + VALIDATION..]
    }

    /// The mean of the targets of the fit.
    pub(super) fn mean(&self) -> f64 {
        self.targets[..TRAIN].iter().sum::<f64>() / TRAIN as f64
    }
}
