//! The one error type of the crate. Which error goes where:
//!
//! | the caller ... | error |
//! | --- | --- |
//! | sent something that can never be stored | [`Error::Invalid`] |
//! | asked for what is not there | [`Error::NotFound`] |
//! | names a blob that was never put | [`Error::MissingBlob`] |
//! | would replace what is written once | [`Error::Conflict`] |
//! | does so, or names what is not there, in a list | [`Error::Item`] |
//! | lost a race for an alias, a gate or traffic | [`Error::StaleGeneration`] |
//! | promotes what has not shown enough | [`Error::GateRefused`] |
//! | deletes or renames what is in use | [`Error::InUse`] |
//! | rolls back an alias that never pointed elsewhere | [`Error::NoPrevious`] |
//! | creates a job where too many wait | [`Error::QueueFull`] |
//! | creates a job where it has its share of those that wait | [`Error::ShareTaken`] |
//! | has created all that it may | [`Error::QuotaReached`] |
//! | works on a job that is somebody else's by now | [`Error::StaleLease`] |
//! | speaks for a worker whose place another process has taken | [`Error::StaleInstance`] |
//! | wants to end a job that has ended | [`Error::JobEnded`] |
//! | opens a registry that another process has open | [`Error::Locked`] |
//! | opens a folder that this program must not touch | [`Error::NotARegistry`], [`Error::NewerFormat`] |
//! | reads what was damaged on disk | [`Error::CorruptBlob`], [`Error::CorruptRecord`], [`Error::AuditBroken`], [`Error::RecordDiffers`] |
//! | writes after a sync failed | [`Error::WritesStopped`] |
//! | writes where there is no space | [`Error::DiskFull`] |
//! | writes behind too many others | [`Error::Busy`] |
//! | restores what is no whole backup | [`Error::BadBackup`] |
//! | can do nothing about it | [`Error::Io`], [`Error::Storage`] |

use std::path::PathBuf;

use lglp_sdk::excerpt::{MESSAGE, QUOTED, shortened};
use lglp_sdk::{Excerpt, count};

use crate::{AliasName, Digest, Expected, HardwareName, Holder, JobState, Verdict, WorkerName};

/// `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation of the registry failed. Nothing was written, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value breaks a rule of its type; the same call fails again.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field at fault, in dotted form (`samples.wall_ms`).
        field: String,
        /// The rule, and what was there instead.
        reason: String,
    },
    /// No such record or blob.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing: `hardware target`, `version`, `blob`, ...
        what: &'static str,
        /// The name, number or digest that was asked for.
        id: String,
    },
    /// A new version refers to a blob that is not in the registry: put it first.
    #[error("the blob {digest} named by {field} is not in the registry; put it first")]
    MissingBlob {
        /// The field that names it: `artifacts.regressor`, `training_log`.
        field: String,
        /// The blob's digest.
        digest: Digest,
    },
    /// Something else is already recorded there, and what is recorded is never overwritten.
    #[error("{what} is already recorded with another {field}")]
    Conflict {
        /// The record, by kind and name.
        what: String,
        /// The first field that differs.
        field: String,
    },
    /// An item of a list names what is not there, or would replace what is written once. One that breaks a rule is
    /// [`Error::Invalid`], whose field has its place.
    #[error("{place}: {fault}")]
    Item {
        /// Which one, in dotted form: `exclusions.3`.
        place: String,
        /// [`Error::NotFound`] or [`Error::Conflict`].
        fault: Box<Error>,
    },
    /// It has moved since the caller read it.
    #[error("{what} {}", as_it_is(expected, *current))]
    StaleGeneration {
        /// What moves: `alias production`, ...
        what: String,
        /// What the caller expected.
        expected: Expected,
        /// The generation it has; 0 is "does not exist yet".
        current: u64,
    },
    /// The gate of a hardware target refuses the version.
    #[error("the gate refuses version {version}: {}", failed_rules(verdict))]
    GateRefused {
        /// The version.
        version: u32,
        /// Rule by rule.
        verdict: Box<Verdict>,
    },
    /// A hardware target is in use.
    #[error("hardware target {hardware} is in use: {reason}")]
    InUse {
        /// The hardware target.
        hardware: HardwareName,
        /// By what, and what to do.
        reason: String,
    },
    /// There is nothing to roll back to.
    #[error("alias {alias} has no earlier version to roll back to")]
    NoPrevious {
        /// The alias.
        alias: AliasName,
    },
    /// As many jobs wait as may.
    #[error("as many jobs are waiting as may ({limit}); try again when some have ended")]
    QueueFull {
        /// How many may wait.
        limit: usize,
    },
    /// One creator has as many jobs waiting as places are left for all the others.
    #[error(
        "{creator} has {} waiting, and what is left ({}) is for others; try again when some of {creator}'s have begun",
        count(*waiting, "job"),
        count(*free, "place")
    )]
    ShareTaken {
        /// Whose jobs.
        creator: String,
        /// How many of these wait.
        waiting: usize,
        /// How many more may.
        free: usize,
    },
    /// One author has created as many of them as it may.
    #[error(
        "{actor} has created {limit} {what}, and may create no more; use one that is there, or have an admin create it"
    )]
    QuotaReached {
        /// The author.
        actor: String,
        /// Of what: `hardware targets`, `workers`.
        what: &'static str,
        /// How many.
        limit: usize,
    },
    /// The job was given to somebody else, or has ended: whoever works on it must stop.
    #[error("the lease {fencing} on job {job} is over")]
    StaleLease {
        /// The job.
        job: u64,
        /// The fencing token of the lease that is over.
        fencing: u64,
    },
    /// Another process, or another author, has registered under the worker's name since, or it has signed off.
    #[error(
        "this process is not the worker {worker} any more: another one, or another token, registered under the name, or it \
         signed off"
    )]
    StaleInstance {
        /// The worker.
        worker: WorkerName,
    },
    /// The job has ended.
    #[error("job {job} has ended: it is {state}")]
    JobEnded {
        /// The job.
        job: u64,
        /// How it ended.
        state: JobState,
    },
    /// Another process has the registry open.
    #[error("the registry at {} is in use by {}", dir.display(), describe(holder.as_ref()))]
    Locked {
        /// The registry's folder.
        dir: PathBuf,
        /// Who has it open, where that is known.
        holder: Option<Holder>,
    },
    /// The folder holds something else than a registry.
    #[error("{} is not a registry: {reason}", dir.display())]
    NotARegistry {
        /// The folder.
        dir: PathBuf,
        /// What gave it away.
        reason: String,
    },
    /// The registry was written by a newer lglp.
    #[error("the registry at {} has format {found}; this program knows formats up to {supported}", dir.display())]
    NewerFormat {
        /// The registry's folder.
        dir: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format this program knows.
        supported: u32,
    },
    /// A blob no longer has the content it was stored with.
    #[error("the blob in {file} is corrupt: it should be {expected} and is {found}")]
    CorruptBlob {
        /// Where it lies.
        file: String,
        /// The digest it was stored under.
        expected: Digest,
        /// The digest of what lies there now.
        found: Digest,
    },
    /// A record cannot be read back.
    #[error("the record {key} is corrupt: {reason}")]
    CorruptRecord {
        /// Its key in the store.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The audit log is not the one that was written.
    #[error("the audit log is broken at entry {sequence}: {reason}")]
    AuditBroken {
        /// The first entry that does not fit.
        sequence: u64,
        /// How it does not fit.
        reason: String,
    },
    /// A record is not what the audit log tells that it is.
    #[error("the record {key} is not as the audit log tells: {reason}")]
    RecordDiffers {
        /// Its key in the store.
        key: String,
        /// How it differs, and from which entry.
        reason: String,
    },
    /// A commit or a sync failed earlier, or just now: what is on the disk is not known until the registry is opened
    /// anew, and until then nothing more is written. The write that failed first may have happened or not.
    #[error(
        "the registry takes no more writes, since one could not be made durable ({reason}); what was acknowledged is \
         safe and reading goes on: look at the disk, then start lglp again"
    )]
    WritesStopped {
        /// The failure that it began with.
        reason: String,
    },
    /// The disk has no space for a change. Nothing has happened, and the same call succeeds once there is space again.
    #[error(
        "the disk of the registry at {} is too full for a change: {} MiB are free ({source}); free more there or make it \
         larger, and writing goes on by itself; reading and predicting go on meanwhile",
        dir.display(), free >> 20
    )]
    DiskFull {
        /// The registry's folder.
        dir: PathBuf,
        /// Bytes that are free there.
        free: u64,
        /// The system's reason.
        source: std::io::Error,
    },
    /// As many writers wait as may. Nothing has happened.
    #[error("{waiting} writers are waiting for their turn, and no more may; try again in a moment")]
    Busy {
        /// How many may wait.
        waiting: usize,
    },
    /// What was read is not a whole backup.
    #[error("this is not a whole backup: {reason}")]
    BadBackup {
        /// What is missing, or too much, or different.
        reason: String,
    },
    /// The file system failed. A write may have happened or not; retrying is safe.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The verb: `write`, `rename`, ...
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The store's own machinery (database, connection) failed. A write may have happened or not; retrying is safe.
    #[error("cannot {doing}: {source}")]
    Storage {
        /// What the store was about to do.
        doing: &'static str,
        /// The machinery's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// An [`Error::Invalid`]. What it quotes of the value is cut, here at the latest.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: shortened(field.into(), QUOTED),
            reason: shortened(reason.into(), MESSAGE),
        }
    }

    /// An [`Error::NotFound`].
    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: Excerpt::of(id).to_string(),
        }
    }

    /// An [`Error::Conflict`].
    pub fn conflict(what: impl Into<String>, field: impl Into<String>) -> Self {
        Self::Conflict {
            what: shortened(what.into(), MESSAGE),
            field: shortened(field.into(), QUOTED),
        }
    }
}

fn as_it_is(expected: &Expected, current: u64) -> String {
    match expected {
        Expected::Existing => "does not exist yet".to_owned(),
        seen => format!("is at generation {current}, not {}", Excerpt::of(seen)),
    }
}

fn failed_rules(verdict: &Verdict) -> String {
    if verdict.validation.is_none() {
        let on = if verdict.on_networks { " on networks" } else { "" };
        return format!("it was never validated{on}, so that no rule can hold");
    }
    let failed = verdict.rules.iter().filter(|rule| !rule.passed);
    failed
        .map(|rule| format!("{}: {}", rule.rule, rule.detail))
        .collect::<Vec<_>>()
        .join("; ")
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), Holder::to_string)
}

/// A value as it was sent, in quotation marks; its beginning where it is long.
pub(crate) fn quoted(text: &str) -> String {
    Excerpt::of(format_args!("{text:?}")).to_string()
}
