//! How requests for `production` are divided: `/v1/{hardware}/traffic`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A share of the architectures that `production` is asked for. An architecture belongs to it, or not, by its digest:
/// always, as long as the share stands, and still when the share grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// An alias other than `production`.
    #[schema(pattern = "^[a-z][a-z0-9._-]{0,62}$", example = "candidate")]
    pub alias: String,
    /// Above 0, up to 1.
    #[schema(example = 0.1)]
    pub share: f64,
}

/// How to divide traffic from now on. What is left out ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTraffic {
    /// Whose predictions are the answer for a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Share>,
    /// Who also predicts a share, off the response path, to be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Share>,
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who sets it.
    #[serde(default)]
    pub actor: String,
}

/// How traffic is divided, and how far shadows agreed with production so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Traffic {
    /// Raised by every change, and the `ETag`; 0 where traffic was never divided.
    pub generation: u64,
    /// Whose predictions are the answer for a share; null where there is none.
    pub canary: Option<Share>,
    /// Who also predicts a share, to be compared; null where there is none.
    pub shadow: Option<Share>,
    /// When it was set last; RFC 3339, UTC. Null where it never was.
    pub set_at: Option<String>,
    /// Who set it last; null where it never was set.
    pub set_by: Option<String>,
    /// One for each pair of versions that were production and shadow at once.
    pub agreement: Vec<Agreement>,
}

/// Predictions of two versions for the same live requests. Differences are relative to production's prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agreement {
    /// The version that was production.
    pub production: u32,
    /// The version that was the shadow.
    pub candidate: u32,
    /// Predictions compared.
    pub n: u64,
    /// Mean difference: above 0 where the candidate predicts longer latencies.
    pub mean_relative: f64,
    /// Mean size of a difference.
    pub mean_absolute_relative: f64,
    /// The largest size of a difference.
    pub max_absolute_relative: f64,
    /// How many predictions differ by at most 5 %.
    pub within_5: u64,
    /// How many predictions differ by at most 10 %.
    pub within_10: u64,
    /// Predictions not compared, since too many waited.
    pub dropped: u64,
    /// Predictions not compared, since the candidate failed on them.
    pub failed: u64,
    /// The 10 architectures that differ most, those first.
    pub most_different: Vec<Disagreement>,
}

/// An architecture on which two versions differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Disagreement {
    /// Canonical text.
    pub architecture: String,
    /// Production's prediction, milliseconds.
    pub production_ms: f64,
    /// The candidate's prediction, milliseconds.
    pub candidate_ms: f64,
}
