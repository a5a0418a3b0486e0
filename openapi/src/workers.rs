//! Workers, which measure on their own machine for the server: `/v1/workers`, and what they tell of the jobs that they lease:
//! `/v1/jobs/{id}/batch`, `/heartbeat`, `/measurements`, `/finish`, `/release`.
//!
//! A worker registers, then asks for work until it gets a lease. Each lease has a fencing token, which goes with everything
//! that is told of the job: once the lease is somebody else's, all of it is refused with `stale-lease`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::{HardwareTarget, ReferenceNetwork};
use crate::jobs::{Job, Progress};
use crate::measurements::Measurement;

/// How a new hardware target is to measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The runtime: a plugin's, or one that the owner of the worker's machine has set up.
    #[schema(example = "tensorrt")]
    pub runtime: String,
    /// Its settings, but for those of the machine's own; what is left out has the plugin's default.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Inputs that a network takes at once.
    #[schema(minimum = 1, maximum = 1024)]
    pub batch_size: u32,
}

/// A worker that comes, or comes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterWorker {
    /// The hardware target that it measures for; created, with `setup`, where there is none of that name.
    #[schema(example = "h100-b1", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub hardware: String,
    /// Random, the same for the life of the process. Where another registers under the name, the one before is gone, and
    /// what it had leased is queued again.
    #[schema(min_length = 8, max_length = 64, min_length = 8, max_length = 64)]
    pub instance: String,
    /// For a new target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
    /// Its machine, and under `runtime` what the opened runtime says of itself.
    #[schema(value_type = Object)]
    pub fingerprint: serde_json::Value,
    /// Of the program.
    pub version: String,
    /// The worker's clock; RFC 3339. The server notices by it where the two disagree.
    #[schema(format = DateTime)]
    pub sent_at: String,
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It waits for work.
    Idle,
    /// It holds a lease.
    Measuring,
    /// Nothing was heard of it for longer than a lease lasts.
    Silent,
    /// Its machine is another one than its target's: it gets no work until that is confirmed.
    Unconfirmed,
    /// It has signed off.
    Gone,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Worker {
    /// Its name, which is also that of the device that its leases are on.
    pub name: String,
    /// The hardware target that it measures for.
    pub hardware: String,
    /// What it is doing.
    pub state: WorkerState,
    /// In what its machine differs from its target's; set exactly where it is unconfirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// Its machine, and under `runtime` what the opened runtime says of itself.
    #[schema(value_type = Object)]
    pub fingerprint: serde_json::Value,
    /// Of the program.
    pub version: String,
    /// When its process registered; RFC 3339, UTC.
    pub registered_at: String,
    /// Its last sign of life.
    pub last_seen: String,
    /// Its clock minus the server's, seconds.
    pub clock_skew_s: f64,
    /// The job that it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<u64>,
    /// Measuring jobs that wait for its hardware target.
    pub queued: u64,
    /// Measurements of it that were accepted since it registered.
    pub measured: u64,
    /// Measurements an hour, over its last ones; absent before there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<f64>,
    /// Share of its last measurements' time that was spent on timed runs, 0 to 1; the rest is building, loading, sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_share: Option<f64>,
    /// Its own reference network's latency against its target's: 1 where the two machines are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_ratio: Option<f64>,
}

/// The workers that the caller may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkerList {
    /// Workers of the hardware targets that the caller may use, by name.
    pub workers: Vec<Worker>,
}

/// What a worker that registered needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The worker that registered.
    pub worker: Worker,
    /// Its target, with the settings to measure with.
    pub hardware: HardwareTarget,
    /// How long a lease lasts without a heartbeat, seconds; heartbeats come three times as often at least.
    pub lease_s: u32,
}

/// A worker that wants work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForWork {
    /// As it registered; refused where another process has registered under the name since.
    #[schema(min_length = 8, max_length = 64)]
    pub instance: String,
    /// How long to wait for work before answering that there is none, seconds.
    #[schema(maximum = 30)]
    pub wait_s: u32,
    /// The worker's clock; RFC 3339.
    #[schema(format = DateTime)]
    pub sent_at: String,
}

/// A job that was leased to a worker, with what is needed to begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// `job.lease.fencing` goes with everything that is told of it.
    pub job: Job,
    /// The search space's definition; null where networks of no space are measured.
    #[schema(value_type = Option<Object>)]
    pub space: serde_json::Value,
    /// Replicate of the measurements.
    #[serde(rename = "round")]
    pub replicate: u32,
    /// How to measure.
    #[schema(value_type = Object)]
    pub protocol: serde_json::Value,
    /// The definition of the space whose reference network the target is calibrated by, or is to be.
    #[schema(value_type = Object)]
    pub reference_space: serde_json::Value,
    /// The target's reference; null before its first calibration, which the worker then does and tells.
    pub reference: Option<ReferenceNetwork>,
    /// The first architectures to measure; `/v1/jobs/{id}/batch` tells the next ones.
    pub batch: Batch,
}

/// Architectures of a job that are not measured yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// The next ones; none where all are measured or are another job's to measure, which is when the job is to be finished.
    pub items: Vec<BatchItem>,
    /// Of the whole job, measured ones included.
    pub total: usize,
    /// Measured.
    pub done: usize,
}

/// One architecture to measure, or one network of no space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BatchItem {
    /// Canonical text. Of a network of no space, the digest of the blob that holds its ONNX model without the weights.
    pub architecture: String,
    /// What people call the network; absent where it is an architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Remarks that its measurement begins with.
    pub flags: Vec<String>,
}

/// A worker that has its batch behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForBatch {
    /// The fencing token of the worker's lease on the job.
    pub fencing: u64,
    /// Architectures that the answer may hold at most.
    #[schema(minimum = 1, maximum = 128)]
    pub limit: usize,
    /// Networks of no space that cannot be measured on this target: they are not asked for again, and the job ends without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 128)]
    pub left_out: Vec<LeftOut>,
}

/// A network that a job leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// As in the batch.
    pub architecture: String,
    /// Why it cannot be measured, for people.
    pub reason: String,
}

/// A worker's calibration of the reference network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// As it registered; refused where another process has registered under the name since.
    #[schema(min_length = 8, max_length = 64)]
    pub instance: String,
    /// What it measured on its own machine.
    pub reference: ReferenceNetwork,
}

/// What the target is calibrated by now: the first worker's calibration, whoever asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calibrated {
    /// The target's reference network, with the latencies that labels are reckoned by.
    pub reference: ReferenceNetwork,
    /// The worker's to the target's.
    pub ratio: f64,
}

/// A sign of life, which renews the lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The fencing token of the worker's lease on the job.
    pub fencing: u64,
    /// How far the job is; where it is left out, what was told before stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The worker's clock; RFC 3339.
    #[schema(format = DateTime)]
    pub sent_at: String,
}

/// Measurements that a worker made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitMeasurements {
    /// The fencing token of the worker's lease on the job.
    pub fencing: u64,
    /// Measurements of the job's hardware target, space and replicate. The server writes the worker's name into each.
    #[schema(max_items = 256)]
    pub measurements: Vec<Measurement>,
    /// The worker's clock; RFC 3339. Where it is off, the times of the measurements are corrected by it.
    #[schema(format = DateTime)]
    pub sent_at: String,
}

/// What became of them. All are durable, or were measured by somebody else before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Recorded now.
    pub accepted: usize,
    /// There was a measurement of that architecture in that replicate, this or another: it stays.
    pub known: usize,
}

/// The end of a worker's work on a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The fencing token of the worker's lease on the job.
    pub fencing: u64,
    /// Why it failed. Where this is left out it succeeded, which needs every architecture to be measured; where some are another job's
    /// to measure, the job waits for that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A job that is given back unfinished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The fencing token of the worker's lease on the job.
    pub fencing: u64,
}

/// A machine that may measure for a target although its fingerprint is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmWorker {
    /// Why its labels belong with the others, for the audit log.
    #[schema(min_length = 1)]
    pub reason: String,
}
