//! Ground truth: `/v1/{hardware}/measurements`, `/v1/{hardware}/datasets`, `/v1/blobs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::TimedNetwork;

/// The measured latency of one architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Measurement {
    /// The hardware target that was measured.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub hardware: String,
    /// The search space of the architecture.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub space: String,
    /// Canonical text.
    pub architecture: String,
    /// SHA-256 of the canonical text.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
    /// 0 for the first measurement, 1 and up for repetitions.
    pub round: u32,
    /// The label, milliseconds.
    pub latency_ms: f64,
    /// How the label follows from the samples.
    pub statistic: String,
    /// How the samples were taken: warm-up, number of pairs, time budget, ...
    #[schema(value_type = Object)]
    pub protocol: serde_json::Value,
    /// Every run that counts.
    pub samples: Vec<PairedSample>,
    /// Of the machine, one minute.
    pub load_average: f64,
    /// Whether the reference network drifted beyond the protocol's bound.
    pub drift: bool,
    /// Remarks on it, in the measurer's words: `attempts:2`, `throttled`, `wide`, `coarse`, `reference:+12%`, ...
    pub flags: Vec<String>,
    /// When it was finished; RFC 3339.
    #[schema(format = DateTime)]
    pub measured_at: String,
    /// The process that measured.
    pub process: String,
    /// Energy that the device spent on one inference, joules; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0)]
    pub energy_j: Option<f64>,
    /// The state of the device meanwhile; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// The larger network that it was paired with, and by whose latency the label was reckoned; absent where that was the target's
    /// reference network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<TimedNetwork>,
    /// The worker that measured; absent where the server's own machine did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Which networks the texts of the space named then: a SHA-256 of what they leave to its definition. Where it is left out,
    /// that of the server's definition is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub space_definition: Option<String>,
}

/// A space of which a hardware target has measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredSpace {
    /// The space's name.
    pub space: String,
    /// The definition that the measurements belong to; null where none of them tells.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub definition: Option<String>,
}

/// The state of a device while it measured. What it does not tell is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conditions {
    /// Clock of the processor, MHz: the mean over its cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_mhz: Option<f64>,
    /// Its graphics processor, where it measured on one that tells its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuConditions>,
    /// Why the device ran slower than it can, as its driver names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttled: Vec<String>,
}

/// The state of a graphics processor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GpuConditions {
    /// Clock of the streaming multiprocessors, MHz: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_mhz: Option<f64>,
    /// Clock of the memory, MHz: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mhz: Option<f64>,
    /// The highest temperature, degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// Power that it drew, watts: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
}

/// One run of a network between runs of the reference network. Milliseconds; 0 where a time is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PairedSample {
    /// Elapsed time of the network.
    pub wall_ms: f64,
    /// Processor time of the thread that ran the network; 0 where the runtime does not know it.
    pub cpu_ms: f64,
    /// Elapsed time of a run of the reference network, in the mean of before and after.
    pub reference_wall_ms: f64,
    /// The same of a run of the reference network, in the mean of before and after.
    pub reference_cpu_ms: f64,
}

/// What was newly recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// Measurements that were not recorded before.
    pub recorded: usize,
}

/// Measurements, frozen for training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dataset {
    /// SHA-256 of its content, by which it is found.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub digest: String,
    /// The hardware target that it was measured on.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub hardware: String,
    /// The search space of its architectures.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub space: String,
    /// How many rows it has: one for each architecture.
    pub rows: usize,
    /// Where it comes from, in the words of the caller that froze it: `measured` where training froze it.
    #[schema(max_length = 4096)]
    pub origin: String,
    /// When it was frozen here; RFC 3339, UTC.
    pub created_at: String,
    /// The blob with its content; the same as `digest`.
    pub blob: String,
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
    /// Measurements that there were, of all rounds.
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
