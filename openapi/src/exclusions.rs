//! Measurements that are kept but not trained on: `/v1/{hardware}/exclusions`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A mark on a measurement: it stays, but no model is trained or judged by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Exclusion {
    /// The search space of the measurement.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub space: String,
    /// SHA-256 of the architecture's canonical text.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
    /// The round of the measurement.
    pub round: u32,
    /// Why, for people.
    #[schema(max_length = 4096)]
    pub reason: String,
    /// The figures that speak for it.
    #[schema(value_type = Object)]
    pub evidence: serde_json::Value,
}

/// Measurements that are to be excluded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclude {
    /// Marks on recorded measurements of the hardware target; all of them are set, or none.
    pub exclusions: Vec<Exclusion>,
    /// Who excludes them, for the audit log; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}

/// What was newly excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Excluded {
    /// Measurements that were not excluded before.
    pub excluded: usize,
}
