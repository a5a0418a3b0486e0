//! Validations: predictions of a version against fresh measurements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{finite, item, items, limits, plausible};
use crate::{Digest, Error, HardwareName, Result, clock, names};

/// The content of a validation report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewValidation {
    /// The version that was judged.
    pub version: u32,
    /// The digest of its content.
    pub version_digest: Digest,
    /// The version that was in production then, on the same architectures.
    pub baseline: Option<Baseline>,
    /// The search space.
    pub space: String,
    /// The dataset that the version comes from; it was fitted on none of the architectures.
    pub dataset: Digest,
    /// How the architectures were chosen: method, seed, ...
    pub selection: Value,
    /// Every architecture, in the order in which it was measured.
    pub pairs: Vec<ValidationPair>,
    /// Accuracy, by name: `mape`, `spearman`, ...
    pub metrics: BTreeMap<String, f64>,
    /// Share of the measurements that lie within the prediction's interval; none where the version gives no intervals.
    pub coverage: Option<f64>,
    /// The machine that measured.
    pub fingerprint: Value,
    /// How many measurements were marked for drift of the reference network.
    pub drifted: usize,
    /// Predictions against measurements as SVG, a blob.
    pub scatter: Digest,
    /// When the first measurement began; RFC 3339.
    pub started_at: String,
    /// When the last one ended; RFC 3339.
    pub finished_at: String,
    /// Who asked for it.
    pub creator: String,
}

/// The version in production, judged by the same measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version.
    pub version: u32,
    /// Its accuracy, by name.
    pub metrics: BTreeMap<String, f64>,
}

/// One architecture of a validation. Milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationPair {
    /// The architecture's canonical text.
    pub architecture: String,
    /// The round of its measurement.
    pub round: u32,
    /// The measured latency.
    pub measured_ms: f64,
    /// The version's prediction.
    pub predicted_ms: f64,
    /// The interval of the prediction, lower and upper end.
    pub interval_ms: Option<(f64, f64)>,
    /// The prediction of the version in production.
    pub baseline_ms: Option<f64>,
    /// Whether the reference network drifted while it was measured.
    pub drift: bool,
}

impl ValidationPair {
    /// The digest of the architecture's canonical text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.architecture.as_bytes())
    }
}

/// A validation of a hardware target. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// The hardware target.
    pub hardware: HardwareName,
    /// Its number: 1, 2, ... for each hardware target.
    pub number: u32,
    /// The digest of the content's canonical JSON.
    pub digest: Digest,
    /// When it was stored; RFC 3339, UTC.
    pub created_at: String,
    /// What it says.
    pub content: NewValidation,
}

impl NewValidation {
    /// Checks what the types do not. That version, blob and measurements exist is the store's to check.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        names::check("space", &self.space)?;
        limits::text("creator", &self.creator)?;
        limits::document("selection", &self.selection, limits::DOCUMENT)?;
        limits::document("fingerprint", &self.fingerprint, limits::DESCRIPTION)?;
        limits::document("validation", self, limits::CONTENT)?;
        clock::check("started_at", &self.started_at)?;
        clock::check("finished_at", &self.finished_at)?;
        if self.pairs.is_empty() {
            return Err(Error::invalid("pairs", "a validation needs at least one architecture"));
        }
        let pair = |pair: &ValidationPair| {
            plausible::latency_ms("measured_ms", pair.measured_ms)?;
            finite("predicted_ms", pair.predicted_ms)
        };
        item("pairs", items(&self.pairs, pair))?;
        for (name, value) in &self.metrics {
            finite(format!("metrics.{name}"), *value)?;
        }
        for (name, value) in self.baseline.iter().flat_map(|b| &b.metrics) {
            finite(format!("baseline.metrics.{name}"), *value)?;
        }
        Ok(())
    }
}
