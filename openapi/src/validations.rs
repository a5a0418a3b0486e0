//! Predictions of a version against measurements, fresh, recorded or held out: `/v1/{hardware}/validations`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A validation report. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Validation {
    /// The hardware target of version and measurements.
    pub hardware: String,
    /// Its number: 1, 2, ... for each hardware target.
    pub number: u32,
    /// SHA-256 of the content.
    pub digest: String,
    /// When it was stored; RFC 3339, UTC.
    pub created_at: String,
    /// What it says.
    pub content: ValidationContent,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValidationContent {
    /// The version that was judged.
    pub version: u32,
    /// SHA-256 of the version's content.
    pub version_digest: String,
    /// The version that was in production, judged by the same measurements.
    pub baseline: Option<ValidationBaseline>,
    /// The search space of the architectures.
    pub space: String,
    /// The dataset that the version comes from; it was fitted on none of the architectures.
    pub dataset: String,
    /// How the architectures were chosen: `on`, whose measurements they are (`fresh`, `recorded`, `held_out`), `method`, `n`, `seed`.
    #[schema(value_type = Object)]
    pub selection: serde_json::Value,
    /// Every architecture, in the order in which it was measured.
    pub pairs: Vec<ValidationPair>,
    /// Accuracy by name, as for versions.
    pub metrics: BTreeMap<String, f64>,
    /// Share of the measurements that lie within the prediction's interval.
    pub coverage: Option<f64>,
    /// The machine that measured fresh rows here; of other rows, the target's.
    #[schema(value_type = Object)]
    pub fingerprint: serde_json::Value,
    /// Measurements that are marked for drift of the reference network.
    pub drifted: usize,
    /// Digest of the scatter plot, also at `/v1/{hardware}/validations/{number}/scatter.svg`.
    pub scatter: String,
    /// When the first of the measurements was made; RFC 3339.
    pub started_at: String,
    /// When the last of the measurements was made; RFC 3339.
    pub finished_at: String,
    /// Who asked for it.
    pub creator: String,
}

/// The version in production, judged by the same measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValidationBaseline {
    /// Its number within the hardware target.
    pub version: u32,
    /// Its accuracy by name, as for versions.
    pub metrics: BTreeMap<String, f64>,
}

/// One architecture of a report. Milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValidationPair {
    /// Canonical text.
    pub architecture: String,
    /// The round of its measurement.
    pub round: u32,
    /// The measured latency.
    pub measured_ms: f64,
    /// The latency that the judged version predicts.
    pub predicted_ms: f64,
    /// Lower and upper end of the prediction's interval.
    #[schema(value_type = Option<Vec<f64>>)]
    pub interval_ms: Option<(f64, f64)>,
    /// The prediction of the version in production.
    pub baseline_ms: Option<f64>,
    /// Whether the measurement is marked for drift of the reference network.
    pub drift: bool,
}
