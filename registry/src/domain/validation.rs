//! Validations: predictions of a version against fresh measurements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{finite, item, items, limits, plausible};
use crate::{Digest, Error, HardwareName, ONNX, Result, clock, names};

/// What a report says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ValidationContent))]
pub struct NewValidation {
    /// The version that was judged.
    pub version: u32,
    /// SHA-256 of the version's content.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub version_digest: Digest,
    /// The version that was in production, judged by the same measurements.
    pub baseline: Option<Baseline>,
    /// The search space of the architectures; `onnx` where they are networks of none.
    pub space: String,
    /// The dataset that the version comes from; it was fitted on none of the architectures.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub dataset: Digest,
    /// How the architectures were chosen: `on`, whose measurements they are (`fresh`, `recorded`, `held_out`), `method`, `n`, `seed`.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub selection: Value,
    /// Every architecture, in the order in which it was measured.
    pub pairs: Vec<ValidationPair>,
    /// Accuracy by name, as for versions.
    pub metrics: BTreeMap<String, f64>,
    /// Share of the measurements that lie within the prediction's interval.
    pub coverage: Option<f64>,
    /// The machine that measured fresh rows here; of other rows, the target's.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub fingerprint: Value,
    /// Measurements that are marked for drift of the reference network.
    pub drifted: usize,
    /// Digest of the scatter plot, also at `/v1/{hardware}/validations/{number}/scatter.svg`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub scatter: Digest,
    /// When the first of the measurements was made; RFC 3339.
    pub started_at: String,
    /// When the last of the measurements was made; RFC 3339.
    pub finished_at: String,
    /// Who asked for it.
    pub creator: String,
}

/// The version in production, judged by the same measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ValidationBaseline))]
pub struct Baseline {
    /// Its number within the hardware target.
    pub version: u32,
    /// Its accuracy by name, as for versions.
    pub metrics: BTreeMap<String, f64>,
}

/// One architecture of a report. Milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ValidationPair {
    /// Canonical text; of a network of no space, the SHA-256 of its ONNX model without the weights.
    pub architecture: String,
    /// What people call the network; absent where it is an architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The replicate of its measurement.
    #[serde(rename = "round")]
    pub replicate: u32,
    /// The measured latency.
    pub measured_ms: f64,
    /// The latency that the judged version predicts.
    pub predicted_ms: f64,
    /// Lower and upper end of the prediction's interval.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<f64>>))]
    pub interval_ms: Option<(f64, f64)>,
    /// The prediction of the version in production.
    pub baseline_ms: Option<f64>,
    /// Whether the measurement is marked for drift of the reference network.
    pub drift: bool,
}

impl ValidationPair {
    /// The digest of the architecture's canonical text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.architecture.as_bytes())
    }
}

/// A validation report. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Validation {
    /// The hardware target of version and measurements.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub hardware: HardwareName,
    /// Its number: 1, 2, ... for each hardware target.
    pub number: u32,
    /// SHA-256 of the content.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub digest: Digest,
    /// When it was stored; RFC 3339, UTC.
    pub created_at: String,
    /// What it says.
    pub content: NewValidation,
}

impl NewValidation {
    /// Whether it is about networks of no space, and not about architectures.
    pub fn is_of_networks(&self) -> bool {
        self.space == ONNX
    }

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
