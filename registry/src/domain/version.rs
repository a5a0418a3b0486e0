//! Versions: fitted models with everything that made them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{finite, item, items, limits};
use crate::{Amount, Digest, Error, HardwareName, Quantity, Result, clock, names};

/// Golden predictions of a version at most: loading it predicts them all at once.
const GOLDEN: usize = 64;
/// Residuals at most: every version that is loaded holds them.
const RESIDUALS: usize = 1_000_000;
/// Artifacts, plugins, metrics and past registries of a version at most, each.
const PARTS: usize = 256;

/// The content of a version. Blobs are put before the version that names them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// The search space it predicts in.
    pub space: String,
    /// The digest of that space as it was defined then: rows of another definition mean something else.
    pub space_digest: Digest,
    /// What it predicts; left out of the JSON where that is latency, so that versions of before keep their digest.
    #[serde(default, skip_serializing_if = "Quantity::is_latency")]
    pub quantity: Quantity,
    /// The recipe it was fitted by, whole.
    pub recipe: Value,
    /// The dataset it was fitted on: one of the same hardware target and space.
    pub dataset: Digest,
    /// The seed of everything random in the fit.
    pub seed: u64,
    /// How the dataset was divided.
    pub split: Value,
    /// The plugins it was fitted with.
    pub plugins: Vec<PluginUse>,
    /// Its quality, by name: `mape`, `spearman`, ...
    pub metrics: BTreeMap<String, f64>,
    /// The fitted states, by role (`extractor`, `regressor`, ...), as blobs.
    pub artifacts: BTreeMap<String, Digest>,
    /// The training log, as a blob.
    pub training_log: Digest,
    /// Relative residuals of the validation part (no unit), for conformal intervals.
    pub residuals: Vec<f64>,
    /// Errors of each row as all others tell it, over the spread that the regressor gave it (no unit), for conformal intervals; empty where
    /// the regressor tells none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<f64>,
    /// The range of architectures it was fitted in, to tell when a prediction leaves it.
    pub training_range: Value,
    /// Who made it.
    pub creator: String,
    /// The registries that it came through before this one, the first of all first: empty where it was fitted here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<Imported>,
    /// What the freshly fitted model predicted: a loaded one that predicts otherwise is not the same model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub golden: Vec<Golden>,
}

/// What a version was in a registry that it was exported from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Its hardware target there.
    pub hardware: HardwareName,
    /// Its number there.
    pub version: u32,
    /// The digest of its content there.
    pub digest: Digest,
    /// Who made it there.
    pub creator: String,
    /// When it was created there; RFC 3339.
    pub created_at: String,
    /// The digest of the bundle that brought it from there.
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

/// The fields of a [`Golden`] as they are read: what serde flattens may have any others.
#[derive(Deserialize)]
struct GoldenFields {
    architecture: String,
    latency_ms: Option<f64>,
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

/// One plugin that a version was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginUse {
    /// The plugin's name.
    pub plugin: String,
    /// The component of it that was used.
    pub component: String,
    /// The component's kind: `encoder`, `feature-extractor`, `regressor`, ...
    pub kind: String,
    /// The plugin's version.
    pub version: String,
    /// The digest of the plugin's file.
    pub sha256: Digest,
    /// The version of the fitted state that it wrote; 0 where it has none.
    pub state_version: u32,
}

/// A version of a hardware target. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The hardware target.
    pub hardware: HardwareName,
    /// Its number: 1, 2, ... for each hardware target.
    pub version: u32,
    /// The digest of the content's canonical JSON.
    pub digest: Digest,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// What it is.
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
        Ok(())
    }

    /// Checks that loading the version costs no more than one of its kind should.
    fn check_sizes(&self) -> Result<()> {
        limits::count("golden", self.golden.len(), GOLDEN)?;
        limits::count("residuals", self.residuals.len(), RESIDUALS)?;
        limits::count("scores", self.scores.len(), RESIDUALS)?;
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
