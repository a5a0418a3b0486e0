//! What lglp remembers: hardware targets, measurements, datasets, model versions, aliases and the audit log.
//!
//! What may be asked of it are synchronous, object-safe traits, one for each kind of thing that is kept. [`Registry`] is the sum of what is
//! asked of a registry here and of a server's alike, [`Store`] of all; `SledStore`, behind the feature `sled`, is the embedded one. The
//! crate `lglp-registry-conformance` holds the suite that every implementation passes. This crate knows no HTTP and no plugin:
//! recipes, protocols and fingerprints are JSON that it keeps without looking inside.
//!
//! # What an implementation promises
//! - **Acknowledged is durable.** A call that returned `Ok` survives a kill and a power cut; but for a job's heartbeats and
//!   workers' signs of life.
//! - **Nothing is overwritten.** Measurements, datasets, versions, blobs and audit entries are written once. Writing
//!   the same thing again is a no-op, so that a caller whose acknowledgement got lost retries; writing something
//!   else in its place is [`Error::Conflict`]. Only aliases, gates and traffic move, and they carry a generation; counts
//!   grow; tokens
//!   are revoked; and webhooks, which say what shall happen and not what happened, are deleted. An admin may delete or rename a
//!   hardware target that nothing uses, and delete its measurements ([`Maintenance`]): the audit log, which is for good, tells it.
//! - **One change, one commit.** A change, its audit entry and its event appear together or not at all.
//!
//! # Layout on disk
//! ```text
//! <dir>/format.json            {"format": "lglp-registry", "version": 2}; without it a folder is no registry
//! <dir>/lock                   locked (flock) by the one process that has the registry open
//! <dir>/holder.json            who that is: a hint for messages and for finding the server; the lock decides
//! <dir>/blobs/sha256/ab/<hex>  content-addressed values of any size; the name is the SHA-256 of the content
//! <dir>/blobs/tmp/             files being written; emptied on open
//! <dir>/db/                    sled: one tree, keys below, values in JSON, longer ones packed; its file holds space behind its end
//! ```
//! | key | value |
//! | --- | --- |
//! | `hardware/<hardware>` | [`HardwareTarget`] |
//! | `measurement/<hardware>/<space>/<replicate>/<digest>` | [`Measurement`] |
//! | `definition/<hardware>/<space>` | the digest of the definition that its measurements belong to |
//! | `exclusion/<hardware>/<space>/<replicate>/<digest>` | [`Exclusion`] |
//! | `predictions/<hardware>` | how many predictions were served |
//! | `recorded/<sequence>` | the keys of the measurements that the audit entry of that number is about |
//! | `dataset/<hardware>/<digest>` | [`Dataset`]; the content is the blob of that digest |
//! | `version/<hardware>/<number>` | digest and creation time; the content is the blob of that digest |
//! | `idempotency/<scope>/<key>` | what a request with an idempotency key was answered, for a week |
//! | `idempotency-looked` | how far these were looked at for what is over |
//! | `alias/<hardware>/<alias>` | [`Alias`] |
//! | `gate/<hardware>` | [`Gate`] |
//! | `validation/<hardware>/<number>` | digest, version and creation time; the content is the blob of that digest |
//! | `job/<number>` | [`Job`] |
//! | `jobs-open` | the numbers of the jobs that have not ended |
//! | `worker/<name>` | [`Worker`] |
//! | `webhook/<id>` | [`Webhook`] |
//! | `webhook-secret/<id>` | what its deliveries are signed with, in clear: signing needs it |
//! | `webhook-delivery/<id>` | [`Delivery`] |
//! | `traffic/<hardware>` | [`Traffic`] |
//! | `shadow/<hardware>/<production>-<candidate>` | [`Agreement`] of two versions |
//! | `audit/<sequence>` | [`AuditEntry`], in canonical JSON |
//! | `audit-head` | [`AuditHead`]: how many entries there are, and the hash of the last |
//! | `event/<sequence>` | [`Event`] |
//! | `token/<id>` | [`Credential`]: the token, and the SHA-256 of its secret |
//!
//! Numbers in keys are decimal, padded with zeros, so that keys sort as the numbers do; digests in keys are the hex
//! alone. Names cannot contain `/`.
//!
//! A blob that no record names (its writer was killed between the two) stays until [`Maintenance::collect_blobs`].

// What an implementation checks by has no use where there is none.
#![cfg_attr(not(feature = "sled"), allow(dead_code))]

mod canonical;
mod clock;
mod digest;
mod domain;
mod error;
mod names;
#[cfg(feature = "sled")]
mod sled_store;
#[cfg(feature = "sled")]
mod storage;
mod store;

pub use canonical::canonical_json;
pub use clock::{check as check_time, now};
pub use digest::Digest;
pub use domain::agreement::{Agreement, Disagreement};
pub use domain::alias::{Alias, AliasMove, Forecast, Rollback};
pub use domain::audit::{AuditEntry, AuditHead, Change, Event};
pub use domain::conditions::{Conditions, GpuConditions};
pub use domain::dataset::{Dataset, NewDataset};
pub use domain::exclusion::{Exclusion, MeasurementKey};
pub use domain::expected::Expected;
pub use domain::gate::{Gate, GateChange, GateRules, RuleOutcome, Verdict};
pub use domain::hardware::{BATCH_SIZE, HardwareTarget, NewHardware, ReferenceNetwork, TimedNetwork};
pub use domain::holder::Holder;
pub use domain::intervention::Intervention;
pub use domain::job::{
    Admission, JOB_ATTEMPTS, Job, JobFilter, JobKind, JobOutcome, JobState, Lease, LeaseRequest, NewJob, Progress,
};
pub use domain::lease_holder::LeaseHolder;
pub use domain::maintenance::{
    AuditFilter, AuditFrom, AuditQuery, BlobPart, Collected, Finding, Manifest, RecordsPart, Verification,
};
pub use domain::measurement::{MeasuredSpace, Measurement, PairedSample};
pub use domain::network::{FittedNetworks, KnownOperator, MeasuredNetwork, ONNX, OPERATOR_FIELDS, Peculiar};
pub use domain::plausible;
pub use domain::quantity::{Amount, Quantity};
pub use domain::quota::Quota;
pub use domain::token::{Credential, NewToken, Role, Token, TokenId};
pub use domain::traffic::{PRODUCTION, SetTraffic, Share, Traffic};
pub use domain::validation::{Baseline, NewValidation, Validation, ValidationPair};
pub use domain::version::{Golden, Imported, NewVersion, PluginUse, Version};
pub use domain::webhook::{CreatedWebhook, Delivery, NewWebhook, PROMOTION, Webhook, selectors};
pub use domain::worker::{Accepted, NewWorker, Recent, SignOfLife, Worker};
pub use error::{Error, Result};
pub use names::{AliasName, HardwareName, WebhookId, WorkerName};
#[cfg(feature = "sled")]
pub use sled_store::{HolderInfo, SledStore, holder, is_registry};
#[cfg(feature = "sled")]
pub use storage::{Disk, RealDisk, check_backup, unpack};
pub use store::prelude::*;
pub use store::{LASTING_KEY, Visitor, Watcher, prelude};
