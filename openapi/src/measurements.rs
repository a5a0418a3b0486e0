//! Ground truth: `/v1/{hardware}/measurements`, `/v1/{hardware}/datasets`, `/v1/blobs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Conditions, Dataset, GpuConditions, MeasuredSpace, Measurement, PairedSample};

/// What was newly recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// Measurements that were not recorded before.
    pub recorded: usize,
}

/// Measurements in parts that were stored before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportMeasurements {
    /// Blobs by their digests, each with a list of measurements; 1 to 1024.
    #[schema(min_items = 1, max_items = 1024)]
    pub parts: Vec<String>,
}

/// How many measurements were deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// Measurements that there were, of all replicates.
    pub deleted: usize,
}

/// A dataset that is to be frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeDataset {
    /// The search space of its architectures.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub space: String,
    /// How many rows there are: the lines of `content`.
    pub rows: usize,
    /// Where it comes from, for people.
    #[schema(max_length = 4096)]
    pub origin: String,
    /// The name of the caller's token where there is one.
    pub creator: String,
    /// The rows, as text.
    pub content: String,
}

/// A stored blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlobStored {
    /// SHA-256 of the content.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
}
