//! Versions: fitted models with everything that made them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::network::FittedNetworks;
use super::{finite, item, items, limits};
use crate::{Amount, Digest, Error, HardwareName, Quantity, Result, clock, names};

/// Golden predictions of a version at most: loading it predicts them all at once.
const GOLDEN: usize = 64;
/// Artifacts, plugins, metrics and past registries of a version at most, each.
const PARTS: usize = 256;

/// What a version is made of. Its fitted state and log are blobs: put them first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = VersionContent))]
pub struct NewVersion {
    /// The search space that it predicts in.
    #[cfg_attr(
        feature = "schema",
        schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "mobilenetv3")
    )]
    pub space: String,
    /// Digest of the space as it was defined when the version was made.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub space_digest: Digest,
    // So that versions of before there was another quantity keep their digest.
    /// Left out where it is latency.
    #[serde(default, skip_serializing_if = "Quantity::is_latency")]
    pub quantity: Quantity,
    /// The whole recipe.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub recipe: Value,
    /// Digest of the dataset it was fitted on.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub dataset: Digest,
    /// Seed of split and fit.
    pub seed: u64,
    /// Row indices of the three parts, or how they were drawn.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub split: Value,
    /// The plugins it was fitted with, one entry for each component.
    pub plugins: Vec<PluginUse>,
    /// Accuracy on the test part; where a version has none, of each fitted row as all others tell it. `mse` (ms^2, or J^2),
    /// `mae` (ms, or J), `r2`, `correlation`, `mape` (%), `spearman`,
    /// `within_5` (%), `within_10` (%), `median_ape` (%), and `spearman_within`, among architectures of one resolution, where there
    /// are enough; `mac_mape` (%) and `mac_r2` of multiply-accumulates times a constant on the same rows, which a model is worth
    /// only as far as it beats; `r2_exchanged`, `r2` with measurement and prediction exchanged; of intervals of 90 %, where there
    /// are any, `covered` (%) and `width` (% of the prediction).
    pub metrics: BTreeMap<String, f64>,
    /// Digests of the fitted parts, by role.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, String>))]
    pub artifacts: BTreeMap<String, Digest>,
    /// Digest of the training log.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub training_log: Digest,
    /// Relative residuals of the validation part, for prediction intervals.
    pub residuals: Vec<f64>,
    /// Errors of each row as all others tell it, over its spread, for prediction intervals; left out where the regressor tells none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<f64>,
    /// What it learned from networks of no space; left out where it did from none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<FittedNetworks>,
    /// What the model has seen in training.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub training_range: Value,
    /// The name of the creator's token where there was one.
    pub creator: String,
    /// The registries that it came through before this one, the first of all first: empty where it was fitted here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<Imported>,
    /// Digest of the version that it is but for the builds of its plugins, where it was bound to others; left out where it was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub rebound_from: Option<Digest>,
    /// What the freshly fitted model predicted, of one architecture at least: a loaded one that predicts otherwise takes no
    /// traffic. Versions of before these were recorded have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<GoldenFields>))]
    pub golden: Vec<Golden>,
}

/// What a version was in a registry that it was exported from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Imported {
    /// Its hardware target there.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub hardware: HardwareName,
    /// Its number there.
    pub version: u32,
    /// SHA-256 of its content there.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// Who made it there: trained or imported it.
    pub creator: String,
    /// When it was created there; RFC 3339.
    pub created_at: String,
    /// SHA-256 of the bundle that brought it from there.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub bundle: Digest,
}

/// A prediction to check a loaded model by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GoldenFields")]
pub struct Golden {
    /// The architecture's canonical text.
    pub architecture: String,
    /// Its predicted latency or energy.
    #[serde(flatten)]
    pub predicted: Amount,
}

// The fields of a `Golden` as they are read and described: what serde flattens may have any others.
/// A prediction to check a loaded model by.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Golden))]
struct GoldenFields {
    /// Canonical text.
    architecture: String,
    /// Milliseconds, where the version predicts latency.
    latency_ms: Option<f64>,
    /// Joules, where the version predicts energy.
    energy_j: Option<f64>,
}

impl TryFrom<GoldenFields> for Golden {
    type Error = &'static str;

    fn try_from(fields: GoldenFields) -> Result<Self, &'static str> {
        let predicted = match (fields.latency_ms, fields.energy_j) {
            (Some(ms), None) => Amount::LatencyMs(ms),
            (None, Some(joules)) => Amount::EnergyJ(joules),
            _ => return Err("expected latency_ms or energy_j, one of the two"),
        };
        let architecture = fields.architecture;
        Ok(Self {
            architecture,
            predicted,
        })
    }
}

/// A plugin that a version was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = UsedPlugin))]
pub struct PluginUse {
    /// The plugin's name.
    pub plugin: String,
    /// The name of the component of it that was used.
    pub component: String,
    /// The component's kind: `encoder`, `feature-extractor` or `regressor`.
    #[cfg_attr(feature = "schema", schema(example = "regressor"))]
    pub kind: String,
    /// The plugin's own version.
    pub version: String,
    /// SHA-256 of the plugin's file.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub sha256: Digest,
    /// Version of the fitted state that it wrote; 0 for encoders.
    pub state_version: u32,
}

/// A version: a fitted model, immutable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Version {
    /// The hardware target that it predicts for.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub hardware: HardwareName,
    /// Counts from 1 for each hardware target.
    pub version: u32,
    /// SHA-256 of the content.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// When it was created here; RFC 3339, UTC.
    pub created_at: String,
    /// What it is made of.
    pub content: NewVersion,
}

impl NewVersion {
    /// Checks what the types do not. That blobs and dataset exist is the store's to check.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        self.check_sizes()?;
        names::check("space", &self.space)?;
        limits::text("creator", &self.creator)?;
        for (name, value) in &self.metrics {
            finite(format!("metrics.{name}"), *value)?;
        }
        let imported = |origin: &Imported| {
            limits::text("creator", &origin.creator)?;
            clock::check("created_at", &origin.created_at)
        };
        item("imported", items(&self.imported, imported))?;
        for (at, golden) in self.golden.iter().enumerate() {
            let place = format!("golden.{at}");
            finite(&place, golden.predicted.value())?;
            let of = golden.predicted.quantity();
            if of != self.quantity {
                let reason = format!("a version that predicts {} holds predictions of {of}", self.quantity);
                return Err(Error::invalid(place, reason));
            }
        }
        for (field, values) in [("residuals", &self.residuals), ("scores", &self.scores)] {
            for (at, value) in values.iter().enumerate() {
                finite(format_args!("{field}.{at}"), *value)?;
            }
        }
        self.networks.as_ref().map_or(Ok(()), FittedNetworks::check)
    }

    /// Checks that loading the version costs no more than one of its kind should.
    fn check_sizes(&self) -> Result<()> {
        limits::count("golden", self.golden.len(), GOLDEN)?;
        limits::count("residuals", self.residuals.len(), limits::RESIDUALS)?;
        limits::count("scores", self.scores.len(), limits::RESIDUALS)?;
        limits::count("artifacts", self.artifacts.len(), PARTS)?;
        limits::count("plugins", self.plugins.len(), PARTS)?;
        limits::count("metrics", self.metrics.len(), PARTS)?;
        limits::count("imported", self.imported.len(), PARTS)?;
        limits::document("recipe", &self.recipe, limits::DOCUMENT)?;
        limits::document("training_range", &self.training_range, limits::DOCUMENT)?;
        limits::document("split", &self.split, limits::CONTENT)?;
        limits::document("version", self, limits::CONTENT)
    }

    /// Every blob it names, with the field that names it.
    pub fn blobs(&self) -> impl Iterator<Item = (String, &Digest)> {
        let log = std::iter::once(("training_log".to_owned(), &self.training_log));
        self.artifacts
            .iter()
            .map(|(role, digest)| (format!("artifacts.{role}"), digest))
            .chain(log)
    }
}
