//! Training with early stopping.

use std::ffi::CString;

use lglp_forest::{Forest, MAX_FOREST_LEAVES};
use lglp_sdk::plugin::{Fit, PluginError, Progress, Regressor, Tensor, work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::booster::{Dataset, Training};

/// LightGBM's parameters, under LightGBM's names; defaults are the paper's (section 7.1), else LightGBM's.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Leaves of a tree at most.
    #[schemars(range(min = 2, max = 131072))]
    num_leaves: u32,
    /// Share of what each tree corrects that is taken.
    #[schemars(range(min = 1e-6, max = 1.0))]
    learning_rate: f64,
    /// Trees at most.
    #[schemars(range(min = 1, max = 100000))]
    num_trees: u32,
    /// Trees without a better validation error after which training ends; 0: never.
    early_stopping_rounds: u32,
    /// Rows of a leaf at least.
    min_data_in_leaf: u32,
    /// Bins per feature at most.
    #[schemars(range(min = 2, max = 65535))]
    max_bin: u32,
    /// L2 penalty of the values of leaves.
    #[schemars(range(min = 0.0))]
    lambda_l2: f64,
    /// Share of the features that each tree may use.
    #[schemars(range(min = 1e-6, max = 1.0))]
    feature_fraction: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            num_leaves: 500,
            learning_rate: 0.01,
            num_trees: 3000,
            early_stopping_rounds: 15,
            min_data_in_leaf: 20,
            max_bin: 255,
            lambda_l2: 0.0,
            feature_fraction: 1.0,
        }
    }
}

/// Trees between two reports of progress.
const REPORT_EVERY: u64 = 10;

pub(crate) struct LightGbm {
    forest: Forest,
    text: Vec<u8>,
}

/// Memory for the histograms of a tree's leaves, MiB: what does not fit is counted anew. The shipped recipes fit.
const HISTOGRAMS: u32 = 1024;

impl Parameters {
    /// Refuses trainings whose trees may be more than memory holds and a state can.
    fn check_size(&self, rows: usize) -> Result<(), PluginError> {
        let by_rows = rows / (self.min_data_in_leaf as usize).max(1);
        let leaves = by_rows.clamp(1, self.num_leaves as usize);
        if leaves.saturating_mul(self.num_trees as usize) <= MAX_FOREST_LEAVES {
            return Ok(());
        }
        Err(PluginError::InvalidParameters(format!(
            "num_trees {} with up to {leaves} leaves each are more than {MAX_FOREST_LEAVES} leaves in all; lower num_trees or \
             num_leaves, or raise min_data_in_leaf",
            self.num_trees
        )))
    }
}

impl Regressor for LightGbm {
    const NAME: &'static str = "lightgbm";
    const SUMMARY: &'static str = "gradient boosted trees with early stopping";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        parameters.check_size(data.train.inputs.rows)?;
        let Parameters {
            num_leaves,
            learning_rate,
            num_trees,
            early_stopping_rounds,
            min_data_in_leaf,
            max_bin,
            lambda_l2,
            feature_fraction,
        } = parameters;
        // LightGBM's seed is a C int.
        let seed = data.seed % (1 << 31);
        let text = format!(
            "objective=regression metric=l2 boosting=gbdt num_leaves={num_leaves} learning_rate={learning_rate} \
             min_data_in_leaf={min_data_in_leaf} max_bin={max_bin} lambda_l2={lambda_l2} \
             feature_fraction={feature_fraction} histogram_pool_size={HISTOGRAMS} seed={seed} deterministic=true \
             force_row_wise=true num_threads=1 verbosity=-1"
        );
        let text = CString::new(text).map_err(PluginError::failed)?;
        let train = Dataset::new(&data.train, &text, None)?;
        let validation = match data.validation.inputs.rows {
            0 => None,
            _ => Some(Dataset::new(&data.validation, &text, Some(&train))?),
        };
        let mut training = Training::new(&train, validation.as_ref(), &text)?;
        let mut best = (f64::INFINITY, 0);
        let mut trees = 0;
        while trees < num_trees && training.add_tree()? {
            trees += 1;
            let validation_mse = training.validation_mse()?;
            // Without a validation set every tree counts as better than those before.
            let score = validation_mse.unwrap_or(-f64::from(trees));
            if score < best.0 {
                best = (score, trees);
            }
            if u64::from(trees) % REPORT_EVERY == 0 {
                (data.progress)(Progress {
                    done: trees.into(),
                    total: num_trees.into(),
                    train_mse: training.train_mse()?,
                    validation_mse: validation_mse.unwrap_or(f64::NAN),
                })?;
            }
            if early_stopping_rounds > 0 && trees - best.1 >= early_stopping_rounds {
                break;
            }
        }
        Self::load(Self::STATE_VERSION, &training.model_text(best.1 as usize)?)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.text.clone())
    }

    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        if version != Self::STATE_VERSION {
            let message = format!("format version {version}; this plugin reads {}", Self::STATE_VERSION);
            return Err(PluginError::UnsupportedState(message));
        }
        let forest = Forest::from_text(state)
            .map_err(|error| PluginError::UnsupportedState(format!("not a LightGBM model text: {error}")))?;
        let (trees, visits) = (forest.trees(), forest.visits());
        let size = format_args!("{trees} trees of {visits} nodes on their longest ways");
        work::check(visits.saturating_mul(work::NODE), size)?;
        let text = state.to_vec();
        Ok(Self { forest, text })
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        let (found, fitted) = (inputs.shape.len(), self.forest.features());
        if found != fitted {
            return Err(PluginError::Failed(format!(
                "rows have {found} values; the model was fitted on {fitted}"
            )));
        }
        self.forest.predict(inputs.data, targets);
        Ok(())
    }
}
