//! Where a version comes from, and how two differ: `/v1/{hardware}/models/{version}/lineage` and `/diff/{other}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::measurements::Dataset;
use crate::models::{Imported, PluginUse, Quantity};

/// Everything that a version follows from, and what happened to it since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lineage {
    /// The hardware target that it predicts for.
    pub hardware: String,
    /// Its number within the hardware target.
    pub version: u32,
    /// SHA-256 of its content.
    pub digest: String,
    /// Who made it here: trained or imported it.
    pub creator: String,
    /// When it was created here; RFC 3339, UTC.
    pub created_at: String,
    /// The registries that it came through before this one, the first of all first: empty where it was fitted here.
    pub imported: Vec<Imported>,
    /// What it predicts; left out where that is latency.
    #[serde(default, skip_serializing_if = "Quantity::is_latency")]
    pub quantity: Quantity,
    /// The dataset that it was fitted on.
    pub dataset: Dataset,
    /// Who froze the dataset here, by the audit log.
    pub dataset_frozen_by: Option<String>,
    /// The whole recipe.
    #[schema(value_type = Object)]
    pub recipe: Value,
    /// Seed of split and fit.
    pub seed: u64,
    /// Rows of the parts that the dataset was split into; none where the version does not say which.
    pub split: Option<SplitSizes>,
    /// Accuracy on the test part; where a version has none, of each fitted row as all others tell it.
    pub metrics: BTreeMap<String, f64>,
    /// The reports that judged it, oldest first.
    pub validations: Vec<ValidationSummary>,
    /// The plugins that it was fitted with, each beside what is there of it now.
    pub plugins: Vec<TracedPlugin>,
    /// Aliases that lead to it now.
    pub aliases: Vec<String>,
    /// What the audit log says of it, oldest first.
    pub history: Vec<HistoryEntry>,
}

/// A validation report in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValidationSummary {
    /// Its number within the hardware target.
    pub number: u32,
    /// SHA-256 of the report.
    pub digest: String,
    /// How many were measured.
    pub architectures: usize,
    /// Accuracy by name.
    pub metrics: BTreeMap<String, f64>,
    /// Share of the measurements within the prediction's interval.
    pub coverage: Option<f64>,
    /// When the last of the measurements was made; RFC 3339.
    pub finished_at: String,
    /// Who asked for it.
    pub creator: String,
}

/// How many rows were fitted on, stopped by and tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SplitSizes {
    /// Rows of the training part.
    pub train: usize,
    /// Rows of the validation part, by which a fit may be stopped.
    pub validation: usize,
    /// Rows of the test part, which the metrics are of; 0 where these are of each fitted row, as all others tell it.
    pub test: usize,
}

/// A plugin that a version was fitted with, and what is there of it now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TracedPlugin {
    /// The plugin as the version records it.
    pub fitted_with: PluginUse,
    /// Whether it is the one that is loaded here now.
    pub state: PluginState,
    /// SHA-256 of the plugin that provides the component here now, where one does.
    pub loaded_sha256: Option<String>,
}

/// Whether a plugin that a version was fitted with is the one that is loaded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// The very same file.
    Same,
    /// Another file provides the component.
    Other,
    /// None provides it.
    Missing,
}

/// One entry of the audit log about a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Its number in the audit log.
    pub sequence: u64,
    /// When it was written; RFC 3339, UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// What happened; `kind` tells which further fields there are.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened to a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Happened {
    /// It was created.
    Created,
    /// An alias was moved to it.
    AliasCame {
        /// The alias's name.
        alias: String,
        /// The alias's generation after the move.
        generation: u64,
        /// The version that the alias led to before.
        from: Option<u32>,
        /// Whether the gate had refused.
        forced: bool,
        /// Whether it was gone back to.
        rolled_back: bool,
    },
    /// An alias was moved away from it.
    AliasLeft {
        /// The alias's name.
        alias: String,
        /// The alias's generation after the move.
        generation: u64,
        /// The version that the alias leads to since.
        to: u32,
        /// Whether it was gone back from.
        rolled_back: bool,
    },
    /// It was compared with measurements.
    Validated {
        /// The number of the report.
        validation: u32,
    },
}

/// How to compare two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// Architectures that both predict, 1 to 10,000; 1,000 without it.
    #[param(default = 1000)]
    pub count: usize,
    /// Architectures that are listed of those on which they differ most; 10 without it.
    #[param(default = 10)]
    pub top: usize,
    /// Seed that the architectures are drawn by; 0 without it. `lglp sample` draws the same.
    #[param(default = 0)]
    pub seed: u64,
}

impl Default for DiffQuery {
    fn default() -> Self {
        Self {
            count: 1000,
            top: 10,
            seed: 0,
        }
    }
}

/// How two versions of a hardware target differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelDiff {
    /// The hardware target of both.
    pub hardware: String,
    /// The version that the path names first.
    pub a: ComparedVersion,
    /// The version that the path names last.
    pub b: ComparedVersion,
    /// Places of the recipe that differ.
    pub recipe: Vec<Difference>,
    /// Plugins that differ, by the kind of their component; a model's before its residual's.
    pub plugins: Vec<PluginDifference>,
    /// How the datasets that they were fitted on differ.
    pub data: DataDifference,
    /// Accuracy, each on its own test part, or fitted rows where it has none; `data.tested_on_both` tells how much these share.
    pub metrics: Vec<MetricDifference>,
    /// What they predict; null where they cannot be asked the same, and `not_compared` tells why.
    pub predictions: Option<PredictionDifference>,
    /// Why there are no `predictions`; null where there are.
    pub not_compared: Option<String>,
}

/// One of two versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComparedVersion {
    /// Its number within the hardware target.
    pub version: u32,
    /// SHA-256 of its content.
    pub digest: String,
    /// Name of its recipe.
    pub recipe: String,
    /// What it predicts; left out where that is latency.
    #[serde(default, skip_serializing_if = "Quantity::is_latency")]
    pub quantity: Quantity,
    /// The search space that it predicts in.
    pub space: String,
    /// Who made it here: trained or imported it.
    pub creator: String,
    /// When it was created here; RFC 3339, UTC.
    pub created_at: String,
    /// Seed of split and fit.
    pub seed: u64,
    /// Rows of the parts that the dataset was split into; null where the version does not say which.
    pub split: Option<SplitSizes>,
}

/// A place at which two JSON values differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// RFC 6901.
    #[schema(example = "/regressor/parameters/num_leaves")]
    pub pointer: String,
    /// Absent where only the other has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<Value>,
    /// Absent where only the other has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<Value>,
}

/// The plugin of a component, where the versions have not the same. Of one kind the first is the model's, a second one its residual's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginDifference {
    /// The component's kind: `encoder`, `feature-extractor`, `regressor`.
    pub kind: String,
    /// What `a` was fitted with; null where it has no such component.
    pub a: Option<PluginUse>,
    /// What `b` was fitted with; null where it has no such component.
    pub b: Option<PluginUse>,
}

/// How the datasets of two versions differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DataDifference {
    /// Digests; the same where the versions were fitted on the same rows.
    pub a: String,
    /// Digest of the dataset of the version `b`.
    pub b: String,
    /// Architectures that only one holds.
    pub only_a: usize,
    /// Architectures that only `b` holds.
    pub only_b: usize,
    /// Architectures that both hold.
    pub both: usize,
    /// Those of both that have another latency in each; energies are not compared.
    pub relabelled: usize,
    /// Up to `top` of these, those first whose latencies differ most.
    pub most_relabelled: Vec<Relabelled>,
    /// Architectures in the test parts of both; none where a version does not say which rows it was tested on.
    pub tested_on_both: Option<usize>,
}

/// An architecture with two measured latencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Relabelled {
    /// Canonical text.
    pub architecture: String,
    /// Its label in the dataset `a`, milliseconds.
    pub a_ms: f64,
    /// Its label in the dataset `b`, milliseconds.
    pub b_ms: f64,
}

/// One metric of two versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricDifference {
    /// The metric's name, as versions have it: `mape`, `spearman`, ...
    pub name: String,
    /// The value of version `a`; null where it has no such metric.
    pub a: Option<f64>,
    /// The value of version `b`; null where it has no such metric.
    pub b: Option<f64>,
    /// `b - a`; none where they predict different quantities.
    pub difference: Option<f64>,
}

/// How the predictions of two versions differ. A relative difference is `|a - b|` to the mean of `|a|` and `|b|`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionDifference {
    /// Architectures that both predicted.
    pub architectures: usize,
    /// Seed that they were drawn by.
    pub seed: u64,
    /// Mean over the architectures: 0 where the versions agree on all, 2 at most.
    pub mean_relative_difference: f64,
    /// The largest of any architecture: 0 where the versions agree on all, 2 at most.
    pub max_relative_difference: f64,
    /// Rank correlation of the two.
    pub spearman: f64,
    /// Those on which they differ most, the worst first.
    pub most_different: Vec<DifferingArchitecture>,
}

/// An architecture of which two versions predict different latencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DifferingArchitecture {
    /// Canonical text.
    pub architecture: String,
    /// What version `a` predicts, milliseconds.
    pub a_ms: f64,
    /// What version `b` predicts, milliseconds.
    pub b_ms: f64,
    /// `|a - b|` to the mean of `|a|` and `|b|`: 0 to 2.
    pub relative_difference: f64,
    /// The label, where the architecture was measured.
    pub measured_ms: Option<f64>,
}
