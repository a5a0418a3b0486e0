//! How requests for `production` are divided: `/v1/{hardware}/traffic`.

use lglp_registry::Traffic as Stored;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Agreement, Disagreement, Share};

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

impl Traffic {
    /// How traffic is divided, beside how far shadows agreed.
    pub fn of(stored: Stored, agreement: Vec<Agreement>) -> Self {
        let Stored {
            generation,
            canary,
            shadow,
            set_at,
            set_by,
        } = stored;
        Self {
            generation,
            canary,
            shadow,
            set_at,
            set_by,
            agreement,
        }
    }
}
