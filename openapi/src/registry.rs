//! Looking after the registry: `/v1/registry/...`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

/// What was removed, or would be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Collected {
    /// Blobs that nothing names.
    pub count: u64,
    /// Their size, in bytes.
    pub bytes: u64,
}

/// What a check of the whole registry found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Records read back.
    pub records: u64,
    /// Blobs hashed.
    pub blobs: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The end of the audit log, where its chain holds.
    #[schema(value_type = Option<Object>)]
    pub audit: Option<serde_json::Value>,
    /// Everything that is not as it should be; empty for a sound registry.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The record, blob or audit entry.
    pub subject: String,
    /// What is wrong with it.
    pub fault: String,
}
