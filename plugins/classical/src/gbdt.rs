//! Gradient boosted regression trees (Friedman, 2001) for squared error.

use lglp_sdk::plugin::{Fit, PluginError, Progress, Regressor, Tensor, work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linear_model::check_width;
use crate::state;
use crate::tree::{Ranked, Tree};

/// scikit-learn's names and defaults. Of equally good splits the first is taken, where scikit-learn draws one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Trees.
    #[schemars(range(min = 1, max = 100000))]
    n_estimators: u32,
    /// Share of each tree's values that is added.
    #[schemars(range(min = 1e-9, max = 1.0))]
    learning_rate: f64,
    /// Splits above one another.
    #[schemars(range(min = 1, max = 64))]
    max_depth: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            learning_rate: 0.1,
            max_depth: 3,
        }
    }
}

/// Leaves of all trees together at most.
const MOST_LEAVES: usize = 1 << 23;

impl Parameters {
    /// Refuses trainings whose trees may be more than memory holds.
    fn check_size(&self, rows: usize) -> Result<(), PluginError> {
        let by_depth = 1usize.checked_shl(self.max_depth).unwrap_or(usize::MAX);
        let leaves = rows.min(by_depth);
        if leaves.saturating_mul(self.n_estimators as usize) > MOST_LEAVES {
            return Err(PluginError::InvalidParameters(format!(
                "n_estimators {} with up to {leaves} leaves each are more than {MOST_LEAVES} leaves in all; lower \
                 n_estimators or max_depth",
                self.n_estimators
            )));
        }
        let (trees, depth) = (u64::from(self.n_estimators), u64::from(self.max_depth) + 1);
        check_work(trees, trees * depth)
            .map_err(|error| PluginError::InvalidParameters(format!("{error}; lower n_estimators or max_depth")))
    }
}

fn check_work(trees: u64, visits: u64) -> Result<(), work::TooMuch> {
    work::check(
        visits.saturating_mul(work::NODE),
        format_args!("{trees} trees of {visits} nodes on their longest ways"),
    )
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gbdt {
    /// Width of a row.
    inputs: usize,
    /// Mean of the training targets.
    start: f64,
    learning_rate: f64,
    trees: Vec<Tree>,
}

impl Regressor for Gbdt {
    const NAME: &'static str = "gbdt";
    const SUMMARY: &'static str = "gradient boosted trees with exact splits";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let (inputs, targets) = (&data.train.inputs, data.train.targets);
        if inputs.rows == 0 {
            return Err(PluginError::Failed("there are no rows to train on".into()));
        }
        parameters.check_size(inputs.rows)?;
        let rows = inputs.rows as f64;
        let start = targets.iter().sum::<f64>() / rows;
        let ranked = Ranked::new(inputs);
        let mut residuals: Vec<f64> = targets.iter().map(|t| t - start).collect();
        let mut step = vec![0.0; residuals.len()];
        let mut trees = Vec::new();
        for done in 1..=parameters.n_estimators {
            trees.push(Tree::grow(&ranked, &residuals, parameters.max_depth, &mut step));
            for (residual, step) in residuals.iter_mut().zip(&step) {
                *residual -= parameters.learning_rate * step;
            }
            (data.progress)(Progress {
                done: done.into(),
                total: parameters.n_estimators.into(),
                train_mse: residuals.iter().map(|r| r * r).sum::<f64>() / rows,
                validation_mse: f64::NAN,
            })?;
        }
        Ok(Self {
            inputs: inputs.shape.len(),
            start,
            learning_rate: parameters.learning_rate,
            trees,
        })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(self)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        let model: Self = state::load(version, bytes)?;
        if !model.trees.iter().all(|tree| tree.is_sound(model.inputs)) {
            return Err(PluginError::UnsupportedState(
                "a tree's nodes do not fit together".into(),
            ));
        }
        let visits = model.trees.iter().map(|tree| tree.depth() as u64).sum();
        check_work(model.trees.len() as u64, visits)?;
        Ok(model)
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(&inputs, self.inputs)?;
        for (row, target) in targets.iter_mut().enumerate() {
            let steps: f64 = self.trees.iter().map(|tree| tree.predict(inputs.row(row))).sum();
            *target = self.start + self.learning_rate * steps;
        }
        Ok(())
    }
}
