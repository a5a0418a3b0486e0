//! A regressor: what encoders or extractors give becomes a prediction.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! { summary: "The regressor @name@", regressors: [@Type@] }

/// What a recipe may set. The documentation of a field is its description in `lglp plugins --json`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    /// Rows whose targets are averaged.
    #[schemars(range(min = 1, max = 1000))]
    neighbours: usize,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { neighbours: 5 }
    }
}

/// The mean of the nearest rows that were measured. This is its state, too.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct @Type@ {
    neighbours: usize,
    /// Values of a row.
    width: usize,
    rows: Vec<f32>,
    targets: Vec<f64>,
}

impl @Type@ {
    fn predict_row(&self, row: &[f32]) -> f64 {
        let distance = |other: &[f32]| {
            let squares = row.iter().zip(other).map(|(a, b)| f64::from(a - b).powi(2));
            squares.sum::<f64>()
        };
        let others = self.rows.chunks_exact(self.width.max(1)).zip(&self.targets);
        let mut near: Vec<(f64, f64)> = others.map(|(other, target)| (distance(other), *target)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(self.neighbours);
        near.iter().map(|(_, target)| target).sum::<f64>() / near.len() as f64
    }
}

impl Regressor for @Type@ {
    const NAME: &'static str = "@name@";
    const SUMMARY: &'static str = "the mean of the nearest measured rows";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let inputs = data.train.inputs;
        if inputs.rows == 0 {
            return Err(PluginError::Failed("no rows to learn from".into()));
        }
        Ok(Self {
            neighbours: parameters.neighbours,
            width: inputs.shape.len(),
            rows: inputs.data.to_vec(),
            targets: data.train.targets.to_vec(),
        })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(self).map_err(PluginError::failed)
    }

    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        if version != Self::STATE_VERSION {
            return Err(PluginError::UnsupportedState(format!("version {version}, expected 1")));
        }
        let loaded: Self = serde_json::from_slice(state).map_err(|e| PluginError::UnsupportedState(e.to_string()))?;
        // It comes from a file, and is believed as far as it is checked.
        let is_whole = loaded.width.checked_mul(loaded.targets.len()) == Some(loaded.rows.len());
        match is_whole && loaded.neighbours > 0 && !loaded.targets.is_empty() {
            true => Ok(loaded),
            false => Err(PluginError::UnsupportedState("its rows do not go together".into())),
        }
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        if inputs.shape.len() != self.width {
            return Err(PluginError::Failed(format!("{} columns, expected {}", inputs.shape.len(), self.width)));
        }
        for (row, target) in inputs.data.chunks_exact(self.width.max(1)).zip(targets) {
            *target = self.predict_row(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lglp_sdk::plugin::{Labelled, Shape};

    #[test]
    fn near_rows_tell_and_the_state_is_read_again() {
        let inputs = Tensor {
            data: &[0.0, 1.0, 10.0],
            rows: 3,
            shape: Shape { steps: 1, width: 1 },
        };
        let (targets, none) = ([2.0, 4.0, 9.0], Tensor { data: &[], rows: 0, ..inputs });
        let fit = Fit {
            train: Labelled { inputs, targets: &targets },
            validation: Labelled { inputs: none, targets: &[] },
            seed: 0,
            progress: &|_| Ok(()),
        };
        let fitted = @Type@::fit(Parameters { neighbours: 2 }, fit).expect("a fit");
        let loaded = @Type@::load(1, &fitted.save().expect("a state")).expect("it reads its own");
        let mut predicted = [0.0; 3];
        loaded.predict(inputs, &mut predicted).expect("predictions");
        assert_eq!(predicted, [3.0, 3.0, 6.5]);
        assert!(@Type@::load(1, b"{}").is_err());
        assert!(@Type@::load(2, &fitted.save().expect("a state")).is_err());
    }
}
