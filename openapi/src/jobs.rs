//! Long work that waits in a queue: `/v1/jobs`, `/v1/{hardware}/jobs`.

use lglp_registry::{HardwareName, Job as Stored, Lease, LeaseHolder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{JobKind, JobState, Progress};

use crate::models::Quantity;
use crate::predict::ModelName;

/// A job that is to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitJob {
    /// What the job is to do.
    pub kind: JobKind,
    /// Those of its kind.
    #[serde(default)]
    #[schema(value_type = JobParameters)]
    pub parameters: serde_json::Value,
}

/// The parameters of each kind of job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum JobParameters {
    /// Of a job of the kind `train`.
    Train(TrainParameters),
    /// Of a job of the kind `measure`.
    Measure(MeasureParameters),
    /// Of a job of the kind `validate`.
    Validate(ValidateParameters),
    /// Of a job of the kind `onboard`.
    Onboard(OnboardParameters),
    /// Of a job of the kind `search`.
    Search(SearchParameters),
}

/// What to train.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainParameters {
    /// One of the server's recipes. Left out, those that suit the data are compared by rows that they do not know, and the best is
    /// taken; the job's result says what it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "additive")]
    pub recipe: Option<String>,
    /// Left out, the one that the target was measured in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "mobilenetv3")]
    pub space: Option<String>,
    /// Seed of split and fit: the same gives the same metrics.
    pub seed: u64,
    /// What to predict, where that is to be another quantity than the recipe's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Quantity>,
}

/// Architectures that one job may measure.
pub const MEASURE_LIMIT: usize = 100_000;

/// What to measure: architectures of a space, or networks of none. The hardware target is created where there is none of that name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureParameters {
    /// The search space of the architectures; `onnx` where networks of no space are measured, by a plan.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "mobilenetv3")]
    pub space: String,
    /// How many architectures are to be measured in all, finished ones included: evenly over depth x resolution. May be left
    /// out beside `plan`.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    pub count: usize,
    /// How many more, weighted to large depth and resolution; of replicate 0 only.
    #[serde(default)]
    #[schema(maximum = 100_000)]
    pub weighted: usize,
    /// 0 measures new architectures; 1 and up repeat those of replicate 0, in another order.
    #[serde(default, rename = "round")]
    pub replicate: u32,
    /// Seed of the sequence of architectures.
    #[serde(default)]
    pub seed: u64,
    /// Digest of a blob that names the architectures to measure, in the place of drawn ones:
    /// `{"architectures": [canonical texts]}`. Of networks, `{"architectures": [digests], "names": [texts]}`, 10,000 at most: each digest is that of
    /// a blob that holds an ONNX model without its weights, as `lglp measure --onnx --job` stores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Runtime, for a new hardware target: a plugin's, or one that the owner of the server's machine has set up; `onnxruntime`
    /// where it is left out. Of a target that is there it may be left out, or must be the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "onnxruntime")]
    pub runtime: Option<String>,
    /// The runtime's settings, for a new hardware target; of one that is there they must be the target's. `GET /v1/plugins` has their
    /// schema. Those with `x-lglp-machine` in it are not for requests, but for the `runtimes.toml` of the machine.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Inputs that a network takes at once, for a new hardware target; 1 where it is left out. Of a target that is there it may
    /// be left out, or must be the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1024)]
    pub batch_size: Option<u32>,
    /// Time for the runs of one attempt at one architecture, seconds; that of `lglp measure` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 600)]
    pub budget_s: Option<f64>,
}

/// What to validate: a version, by measurements that it was not fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateParameters {
    /// The number of the version that is to be judged.
    pub version: u32,
    /// What judges it. Where it is left out: architectures of its space, unless it was fitted on networks alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ValidationJudges>,
    /// Digest of a blob that names the networks to judge it by, as the `plan` of measuring does; all of them but those that the version was fitted on
    /// are measured, where they are not yet. Left out, they are random ones, `n` of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<String>,
    /// Whose measurements. Where it is left out: fresh ones, where the target can be measured; otherwise recorded ones, where there
    /// are `n`; otherwise those that were held out, which networks are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<ValidationRows>,
    /// Architectures.
    #[serde(default = "validated")]
    #[schema(minimum = 2, maximum = 1000, example = 50)]
    pub n: usize,
    /// How to choose them.
    #[serde(default)]
    pub select: SelectionMethod,
    /// Seed of the choice.
    #[serde(default)]
    pub seed: u64,
    /// Time for the runs of one attempt at one architecture, seconds; that of `lglp measure` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 600)]
    pub budget_s: Option<f64>,
}

fn validated() -> usize {
    50
}

/// Architectures that one job may choose and measure.
pub const ONBOARD_LIMIT: usize = 2_000;

/// How to get a predictor by few measurements. The hardware target is created where there is none of that name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnboardParameters {
    /// Left out, the one that the target was measured in, and `mobilenetv3` where it was measured in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "mobilenetv3")]
    pub space: Option<String>,
    /// Architectures to measure in all, those that are measured already included.
    #[serde(default = "validated")]
    #[schema(minimum = 10, maximum = 2_000, example = 50)]
    pub budget: usize,
    /// Ends before the budget is spent, where the mean relative error of rows that are left out is below this, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 100, example = 3)]
    pub until_mape: Option<f64>,
    /// Begin with nothing, where other hardware targets of the same space and batch size could teach.
    #[serde(default)]
    pub alone: bool,
    /// Hardware targets that may teach; left out, all that the caller may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100, example = json!(["epyc-1t"]))]
    pub sources: Option<Vec<String>>,
    /// One of the server's recipes, whose regressor tells how it would do without each row.
    #[serde(default = "onboarding")]
    #[schema(example = "additive")]
    pub recipe: String,
    /// Seed of what is drawn and of fits.
    #[serde(default)]
    pub seed: u64,
    /// As of measuring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "onnxruntime")]
    pub runtime: Option<String>,
    /// As of measuring.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// As of measuring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1024)]
    pub batch_size: Option<u32>,
    /// As of measuring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 600)]
    pub budget_s: Option<f64>,
}

fn onboarding() -> String {
    "additive".into()
}

/// Architectures that one job may look at.
pub const SEARCH_LIMIT: usize = 10_000_000;

/// What to search for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchParameters {
    /// An alias or a version number, of latencies.
    #[schema(value_type = ModelName, example = "production")]
    pub model: serde_json::Value,
    /// The most that an architecture may take, milliseconds; without it there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, example = 40)]
    pub max_ms: Option<f64>,
    /// Take the upper end of an architecture's 90 % interval for its latency.
    pub upper: bool,
    /// What an architecture scores, the more the better.
    pub score: SearchScore,
    /// Distinct architectures to look at.
    #[schema(minimum = 10, maximum = 10_000_000)]
    pub candidates: usize,
    /// Seed of what is drawn.
    pub seed: u64,
}

impl Default for SearchParameters {
    fn default() -> Self {
        Self {
            model: "production".into(),
            max_ms: None,
            upper: false,
            score: SearchScore::default(),
            candidates: 100_000,
            seed: 0,
        }
    }
}

/// What an architecture scores. A program of the user's own scores on the command line alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchScore {
    /// Multiply-accumulates, millions.
    #[default]
    Macs,
    /// Weights and biases, millions.
    Parameters,
}

/// What a version is compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValidationJudges {
    /// Architectures of its space.
    Architectures,
    /// Networks of no space.
    Networks,
}

/// Whose measurements a version is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValidationRows {
    /// Of architectures that were never measured, which are measured now.
    Fresh,
    /// Recorded ones that are no part of the version's dataset, such as those that came since.
    Recorded,
    /// The test part of the version's dataset, which it was not fitted on.
    HeldOut,
}

/// How the architectures of a validation are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionMethod {
    /// Even draws over depth x resolution, as for training.
    #[default]
    Random,
    /// Even over the logarithm of the predicted latency.
    Stratified,
    /// Where the version and production disagree most.
    Disagreement,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Counts from 1.
    pub id: u64,
    /// What it does.
    pub kind: JobKind,
    /// The hardware target that it does it for.
    #[schema(value_type = String)]
    pub hardware: HardwareName,
    /// As they were given, with defaults filled in.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// Where it stands.
    pub state: JobState,
    /// How far it was when it last told.
    pub progress: Option<Progress>,
    /// What came out of it. Of training: `version`, `digest`, `metrics`, `recipe`, and `compared` where it was
    /// chosen; of measuring: `measured`, `total`, `repeatability`; of
    /// validating: `validation`, the number of the report, `version`, `metrics`, `coverage`; of onboarding: `version`, `digest`,
    /// `metrics`, `steps`, `sources`, `forecast`, `reached`; of searching: `version`, `runtime`, `batch_size`, `score`, `candidates`,
    /// `seconds`, `found`, how many are on the front, `front`, the digest of a blob with all of them, and `some` of them, evenly
    /// from the fastest to the slowest.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was put into the queue; RFC 3339, UTC.
    pub created_at: String,
    /// Who wanted it: the name of the caller's token where there was one.
    pub created_by: String,
    /// When it was first begun; RFC 3339, UTC. Null where it was not begun yet.
    pub started_at: Option<String>,
    /// When it ended; RFC 3339, UTC. Null where it has not.
    pub finished_at: Option<String>,
    /// How often it was begun.
    pub attempts: u64,
    /// How often its process went away before it had ended.
    pub lost: u32,
    /// Who works on it; set exactly where it is running.
    pub lease: Option<JobLease>,
    /// Whether somebody wants it to end; it does between two steps.
    pub cancel_requested: bool,
    /// What its kind needs to go on after a restart.
    pub checkpoint: serde_json::Value,
    /// The job that needs what this one does, and waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// What it waits for beside its turn, in words: workers, where none is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

/// Who works on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobLease {
    /// The server or the worker, by its name; to the worker itself, with its process.
    #[schema(value_type = String)]
    pub holder: LeaseHolder,
    /// The machine it works on; one job measures there at a time.
    pub device: String,
    /// Higher than that of every lease on this job before; told to the worker that holds it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fencing: Option<u64>,
    /// How long it holds without a heartbeat, seconds.
    pub seconds: u32,
    /// When it ends, unless a heartbeat comes before; RFC 3339, UTC.
    pub expires_at: String,
}

impl Job {
    /// What the worker is told that holds the job: with its lease's fencing token.
    pub fn of_holder(stored: Stored) -> Self {
        let Stored {
            id,
            kind,
            hardware,
            parameters,
            state,
            progress,
            result,
            error,
            created_at,
            created_by,
            started_at,
            finished_at,
            attempts,
            lost,
            lease,
            cancel_requested,
            checkpoint,
            parent,
        } = stored;
        Self {
            id,
            kind,
            hardware,
            parameters,
            state,
            progress,
            result,
            error,
            created_at,
            created_by,
            started_at,
            finished_at,
            attempts,
            lost,
            lease: lease.map(JobLease::of_holder),
            cancel_requested,
            checkpoint,
            parent,
            waits_for: None,
        }
    }
}

impl JobLease {
    fn of_holder(stored: Lease) -> Self {
        let Lease {
            holder,
            device,
            fencing,
            seconds,
            expires_at,
        } = stored;
        Self {
            holder,
            device,
            fencing: Some(fencing),
            seconds,
            expires_at,
        }
    }
}

impl Job {
    /// What everybody is told who may see the job: by what its worker holds the lease is the worker's alone to know.
    pub fn of_public(stored: Stored) -> Self {
        let mut job = Self::of_holder(stored);
        job.lease = job.lease.map(|lease| JobLease {
            holder: lease.holder.without_instance(),
            fencing: None,
            ..lease
        });
        job
    }
}

/// Jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// Jobs of the hardware targets that the caller may use; fewer than asked for where they are large.
    pub jobs: Vec<Job>,
}

/// What a job's event stream tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobEvent {
    /// The name of the event.
    pub event: JobEventKind,
    /// The job, as JSON.
    #[schema(example = "{\"id\": 1, ...}")]
    pub data: String,
}

/// Whether more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobEventKind {
    /// The job has not ended: sent first, and whenever it has changed.
    Progress,
    /// The job has ended; so has the stream.
    End,
}
