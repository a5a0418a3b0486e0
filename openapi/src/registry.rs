//! Looking after the registry: `/v1/registry/...`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Collected, Finding, Verification};

/// Which blobs to collect.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectBlobs {
    /// Blobs that somebody put within this time are kept, in seconds: a client puts blobs before what names them.
    #[serde(default = "an_hour")]
    pub keep_seconds: u64,
    /// Only say what would be removed.
    #[serde(default)]
    pub dry_run: bool,
}

fn an_hour() -> u64 {
    3600
}
