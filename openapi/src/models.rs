//! Model versions and aliases: `/v1/{hardware}/models`, `/v1/{hardware}/aliases`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::gates::Forecast;

/// A version: a fitted model, immutable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// The hardware target that it predicts for.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub hardware: String,
    /// Counts from 1 for each hardware target.
    pub version: u32,
    /// SHA-256 of the content.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
    /// When it was created here; RFC 3339, UTC.
    pub created_at: String,
    /// What it is made of.
    pub content: VersionContent,
}

/// What is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// How long an inference takes, ms.
    #[default]
    Latency,
    /// What the device spends on it, J.
    Energy,
}

impl Quantity {
    /// The symbol of its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Latency => "ms",
            Self::Energy => "J",
        }
    }

    pub(crate) fn is_latency(&self) -> bool {
        *self == Self::Latency
    }
}

/// What a version is made of. Its fitted state and log are blobs: put them first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionContent {
    /// The search space that it predicts in.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "mobilenetv3")]
    pub space: String,
    /// Digest of the space as it was defined when the version was made.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub space_digest: String,
    /// Left out where it is latency.
    #[serde(default, skip_serializing_if = "Quantity::is_latency")]
    pub quantity: Quantity,
    /// The whole recipe.
    #[schema(value_type = Object)]
    pub recipe: serde_json::Value,
    /// Digest of the dataset it was fitted on.
    pub dataset: String,
    /// Seed of split and fit.
    pub seed: u64,
    /// Row indices of the three parts, or how they were drawn.
    #[schema(value_type = Object)]
    pub split: serde_json::Value,
    /// The plugins it was fitted with, one entry for each component.
    pub plugins: Vec<UsedPlugin>,
    /// Accuracy on the test part; where a version has none, of each fitted row as all others tell it. `mse` (ms^2, or J^2),
    /// `mae` (ms, or J), `r2`, `correlation`, `mape` (%), `spearman`,
    /// `within_5` (%), `within_10` (%), `median_ape` (%), and `spearman_within`, among architectures of one resolution, where there
    /// are enough; `mac_mape` (%) and `mac_r2` of multiply-accumulates times a constant on the same rows, which a model is worth
    /// only as far as it beats; `r2_exchanged`, `r2` with measurement and prediction exchanged; of intervals of 90 %, where there
    /// are any, `covered` (%) and `width` (% of the prediction).
    pub metrics: BTreeMap<String, f64>,
    /// Digests of the fitted parts, by role.
    pub artifacts: BTreeMap<String, String>,
    /// Digest of the training log.
    pub training_log: String,
    /// Relative residuals of the validation part, for prediction intervals.
    pub residuals: Vec<f64>,
    /// Errors of each row as all others tell it, over its spread, for prediction intervals; left out where the regressor tells none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<f64>,
    /// What the model has seen in training.
    #[schema(value_type = Object)]
    pub training_range: serde_json::Value,
    /// The name of the creator's token where there was one.
    pub creator: String,
    /// The registries that it came through before this one, the first of all first: empty where it was fitted here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<Imported>,
    /// What the freshly fitted model predicted, of one architecture at least: a loaded one that predicts otherwise takes no
    /// traffic. Versions of before these were recorded have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub golden: Vec<Golden>,
}

/// What a version was in a registry that it was exported from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Its hardware target there.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub hardware: String,
    /// Its number there.
    pub version: u32,
    /// SHA-256 of its content there.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
    /// Who made it there: trained or imported it.
    pub creator: String,
    /// When it was created there; RFC 3339.
    pub created_at: String,
    /// SHA-256 of the bundle that brought it from there.
    pub bundle: String,
}

/// A prediction to check a loaded model by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Golden {
    /// Canonical text.
    pub architecture: String,
    /// Milliseconds, where the version predicts latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Joules, where the version predicts energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
}

/// A plugin that a version was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsedPlugin {
    /// The plugin's name.
    pub plugin: String,
    /// The name of the component of it that was used.
    pub component: String,
    /// The component's kind: `encoder`, `feature-extractor` or `regressor`.
    #[schema(example = "regressor")]
    pub kind: String,
    /// The plugin's own version.
    pub version: String,
    /// SHA-256 of the plugin's file.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub sha256: String,
    /// Version of the fitted state that it wrote; 0 for encoders.
    pub state_version: u32,
}

/// The versions of a hardware target, oldest first, and where its aliases point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    /// Every version, whole.
    pub versions: Vec<Version>,
    /// Every alias of the hardware target.
    pub aliases: Vec<Alias>,
}

/// A movable name for a version. Its generation is also its `ETag`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alias {
    /// Its name within the hardware target; `production` answers requests that name no model.
    #[schema(example = "production")]
    pub name: String,
    /// The version it points at.
    pub version: u32,
    /// The versions it pointed at before, oldest first: what rolling back goes back through.
    #[serde(default)]
    pub previous: Vec<u32>,
    /// Raised by every move; 0 would be an alias that does not exist yet.
    pub generation: u64,
    /// When it moved last; RFC 3339, UTC.
    pub moved_at: String,
    /// Who moved it last.
    pub moved_by: String,
}

/// Where to move an alias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAlias {
    /// The version it shall point at.
    pub version: u32,
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who moves it; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
    /// Moves `production` although its gate refuses: needs the role admin and a reason.
    #[serde(default)]
    pub force: bool,
}

/// What moving an alias answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum MoveAnswer {
    /// Where the alias points now.
    Moved(Alias),
    /// What would have happened: the answer to `dry_run`.
    Forecast(Forecast),
}

/// Going back to the version that an alias pointed at before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who goes back; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}
