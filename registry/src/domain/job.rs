//! Jobs: long work (training, measuring, validating, searching) that waits in a queue, and is begun again where its process went away.
//!
//! Whoever works on a job holds a *lease* on it and renews it by heartbeats. Each lease has a *fencing token*, higher than
//! all before: what a holder whose lease was given to somebody else still writes is refused by it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits;
use crate::error::quoted;
use crate::{Error, HardwareName, LeaseHolder, Result, clock};

/// How often the process that works on a job may go away before the job is given up.
pub const JOB_ATTEMPTS: u32 = 3;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobKind {
    /// Fits a recipe on the hardware target's measurements; makes a version.
    Train,
    /// Measures architectures: on a worker's machine where one registered for the hardware target, else on the server's own.
    Measure,
    /// Compares a version with fresh measurements.
    Validate,
    /// Gets a predictor by few measurements: chooses architectures, measures them where `measure` would, and makes a version.
    Onboard,
    /// Searches for architectures that a version predicts to be fast, and that score well.
    Search,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Train, Self::Measure, Self::Validate, Self::Onboard, Self::Search];

    /// Whether it keeps a device busy with timed runs, which a second such job there would spoil.
    pub fn is_measuring(self) -> bool {
        matches!(self, Self::Measure | Self::Validate | Self::Onboard)
    }

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Measure => "measure",
            Self::Validate => "validate",
            Self::Onboard => "onboard",
            Self::Search => "search",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits: for its turn, for a worker, or for a job that does a part of it.
    Queued,
    /// A server or a worker holds a lease on it.
    Running,
    /// It ended, and `result` tells what came out.
    Succeeded,
    /// It ended, and `error` tells why.
    Failed,
    /// It was ended before it was done; what it had measured stays.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether nothing will happen to the job any more.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("state", format!("expected one of {known}; got {}", quoted(name)))
        })
    }
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = JobProgress))]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 where that is not known yet.
    pub of: u64,
    /// What is going on, for people.
    pub note: String,
}

/// Who works on a running job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who works on it.
    pub holder: LeaseHolder,
    /// The machine that it works on: where it measures, no other job measures.
    pub device: String,
    /// Higher than that of every lease on this job before; 0 where it is not told.
    #[serde(default)]
    pub fencing: u64,
    /// How long the lease holds without a heartbeat, seconds.
    pub seconds: u32,
    /// When it ends; RFC 3339, UTC.
    pub expires_at: String,
}

impl Lease {
    /// Whether its time is over.
    pub fn is_over(&self) -> bool {
        clock::is_over(&self.expires_at)
    }
}

/// A job that is to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// The hardware target that it does it for. A measuring job may create it.
    pub hardware: HardwareName,
    /// What else its kind needs to know.
    pub parameters: Value,
    /// Who wants it.
    pub creator: String,
    /// The job that needs what it does, and that is not leased before it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
}

impl NewJob {
    /// Checks what the types do not. Parameters are their kind's to check.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("creator", &self.creator)?;
        limits::document("parameters", &self.parameters, limits::DOCUMENT)
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number: 1, 2, ...
    pub id: u64,
    /// What it does.
    pub kind: JobKind,
    /// The hardware target that it does it for.
    pub hardware: HardwareName,
    /// What else its kind needs to know.
    pub parameters: Value,
    /// Where it stands.
    pub state: JobState,
    /// How far it was when it last told.
    pub progress: Option<Progress>,
    /// What came out; set exactly where it succeeded.
    pub result: Option<Value>,
    /// Why it failed; set exactly where it did.
    pub error: Option<String>,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who wanted it.
    pub created_by: String,
    /// When it was begun first; RFC 3339, UTC.
    pub started_at: Option<String>,
    /// When it ended; RFC 3339, UTC.
    pub finished_at: Option<String>,
    /// How often it was begun; also the fencing token of its last lease.
    pub attempts: u64,
    /// How often its process went away before it had ended; at [`JOB_ATTEMPTS`] the job fails.
    pub lost: u32,
    /// Who works on it; set exactly where it is running.
    pub lease: Option<Lease>,
    /// Whether somebody wants it to end. Whoever works on it obeys between two steps.
    pub cancel_requested: bool,
    /// What its kind needs to go on after its process went away; null where there is nothing.
    pub checkpoint: Value,
    /// The job that needs what it does, and that is not leased before it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
}

/// On what terms a job comes into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It does a part of one that was admitted: nothing is asked.
    Part,
    /// Where less than so many wait.
    Any {
        /// Jobs that may wait.
        places: usize,
    },
    /// The same, and where its creator has fewer jobs waiting than there are places free: one creator takes half of the queue
    /// at most, two a third each, and whoever comes new finds a place.
    Fair {
        /// Jobs that may wait.
        places: usize,
    },
}

impl Admission {
    /// Asks whether another job may wait, where `queued` do.
    ///
    /// # Errors
    /// [`Error::QueueFull`]; [`Error::ShareTaken`].
    pub fn check<'a>(self, creator: &str, queued: impl Iterator<Item = &'a Job>) -> Result<()> {
        let (places, fair) = match self {
            Self::Part => return Ok(()),
            Self::Any { places } => (places, false),
            Self::Fair { places } => (places, true),
        };
        let (mut all, mut own) = (0, 0);
        for job in queued {
            all += 1;
            own += usize::from(job.created_by == creator);
        }
        let free = places.saturating_sub(all);
        if free == 0 {
            return Err(Error::QueueFull { limit: places });
        }
        if fair && own >= free {
            return Err(Error::ShareTaken {
                creator: creator.to_owned(),
                waiting: own,
                free,
            });
        }
        Ok(())
    }
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those of a hardware target.
    pub hardware: Option<HardwareName>,
    /// Only those in a state.
    pub state: Option<JobState>,
}

impl JobFilter {
    /// Whether a job is one of them.
    pub fn admits(&self, job: &Job) -> bool {
        self.hardware.as_ref().is_none_or(|hardware| *hardware == job.hardware)
            && self.state.is_none_or(|state| state == job.state)
    }
}

/// What a process that wants work can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Who it is.
    pub holder: LeaseHolder,
    /// The machine that it works on.
    pub device: String,
    /// The kinds of jobs that it does.
    pub kinds: BTreeSet<JobKind>,
    /// The hardware targets that it can measure; all where it says nothing.
    pub hardware: Option<BTreeSet<HardwareName>>,
    /// How long a lease shall hold without a heartbeat, seconds.
    pub seconds: u32,
}

impl LeaseRequest {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("device", &self.device)?;
        if self.seconds == 0 {
            return Err(Error::invalid("seconds", "a lease holds for a second at least"));
        }
        Ok(())
    }

    /// Whether the process can do a job, as far as kind and hardware target go.
    pub fn admits(&self, job: &Job) -> bool {
        self.kinds.contains(&job.kind) && self.hardware.as_ref().is_none_or(|known| known.contains(&job.hardware))
    }
}

impl Progress {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::short("progress.note", &self.note)
    }
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum JobOutcome {
    /// With this result.
    Succeeded(Value),
    /// For this reason.
    Failed(String),
    /// Because somebody asked for it.
    Cancelled,
}

impl JobOutcome {
    /// For a reason, of which the beginning is kept where it is long.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(limits::cut(reason.into()))
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Succeeded(result) => limits::document("result", result, limits::RESULT),
            Self::Failed(reason) => limits::short("error", reason),
            Self::Cancelled => Ok(()),
        }
    }
}
