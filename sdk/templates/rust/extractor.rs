//! A feature extractor: what encoders give becomes features that a regressor learns from.

use lglp_sdk::plugin::{FeatureExtractor, Fit, PluginError, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! { summary: "The feature extractor @name@", extractors: [@Type@] }

/// What a recipe may set. The documentation of a field is its description in `lglp plugins --json`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    /// Whether columns that never differ are left out.
    drop_constant: bool,
}

/// Columns of mean 0 and standard deviation 1. This is its state, too.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct @Type@ {
    /// Of what it reads, and what it takes of that.
    width: usize,
    columns: Vec<Column>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    at: usize,
    mean: f64,
    deviation: f64,
}

impl FeatureExtractor for @Type@ {
    const NAME: &'static str = "@name@";
    const SUMMARY: &'static str = "columns of mean 0 and standard deviation 1";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let inputs = data.train.inputs;
        let (width, rows) = (inputs.shape.len(), inputs.rows as f64);
        let columns = (0..width).map(|at| {
            let values = || inputs.data.iter().skip(at).step_by(width).map(|value| f64::from(*value));
            let mean = values().sum::<f64>() / rows;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
            let deviation = variance.sqrt();
            Column { at, mean, deviation }
        });
        let columns: Vec<Column> = columns.filter(|column| !parameters.drop_constant || column.deviation > 0.0).collect();
        Ok(Self { width, columns })
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
        match loaded.columns.iter().all(|column| column.at < loaded.width) {
            true => Ok(loaded),
            false => Err(PluginError::UnsupportedState("a column beyond the width".into())),
        }
    }

    fn features(&self) -> usize {
        self.columns.len()
    }

    fn extract(&self, inputs: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        if inputs.shape.len() != self.width {
            return Err(PluginError::Failed(format!("{} columns, expected {}", inputs.shape.len(), self.width)));
        }
        if self.columns.is_empty() {
            return Ok(());
        }
        for (row, features) in inputs.data.chunks_exact(self.width.max(1)).zip(out.chunks_exact_mut(self.columns.len())) {
            for (feature, column) in features.iter_mut().zip(&self.columns) {
                let value = (f64::from(row[column.at]) - column.mean) / column.deviation.max(f64::MIN_POSITIVE);
                *feature = if column.deviation > 0.0 { value as f32 } else { 0.0 };
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lglp_sdk::plugin::{Labelled, Shape};

    #[test]
    fn columns_are_standardized_and_the_state_is_read_again() {
        let inputs = Tensor {
            data: &[1.0, 5.0, 3.0, 5.0],
            rows: 2,
            shape: Shape { steps: 1, width: 2 },
        };
        let (targets, none) = ([1.0, 2.0], Tensor { data: &[], rows: 0, ..inputs });
        let fit = Fit {
            train: Labelled { inputs, targets: &targets },
            validation: Labelled { inputs: none, targets: &[] },
            seed: 0,
            progress: &|_| Ok(()),
        };
        let fitted = @Type@::fit(Parameters::default(), fit).expect("a fit");
        let loaded = @Type@::load(1, &fitted.save().expect("a state")).expect("it reads its own");
        let mut out = [0.0; 4];
        loaded.extract(inputs, &mut out).expect("features");
        assert_eq!(out, [-1.0, 0.0, 1.0, 0.0]);
        assert!(@Type@::load(1, b"{}").is_err());
        assert!(@Type@::load(2, &fitted.save().expect("a state")).is_err());
    }
}
