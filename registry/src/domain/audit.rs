//! The audit log, and the events that tell of the same changes.
//!
//! An audit entry is for whoever asks afterwards: who, why, and a hash chain that shows every edit. An event is for
//! whoever waits for the change: it says what changed and no more.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::quoted;
use crate::{
    AliasName, Digest, Error, HardwareName, JobKind, JobState, MeasurementKey, ReferenceNetwork, Result, Role, Share,
    TokenId, Verdict, WebhookId, WorkerName, canonical_json,
};

/// Something that happened in the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// A hardware target was created.
    HardwareCreated {
        /// The hardware target.
        hardware: HardwareName,
    },
    /// A hardware target got its reference network.
    ReferenceSet {
        /// The hardware target.
        hardware: HardwareName,
        /// The reference network.
        reference: ReferenceNetwork,
    },
    /// A hardware target was deleted, and all that belonged to it.
    HardwareDeleted {
        /// The hardware target.
        hardware: HardwareName,
    },
    /// A hardware target got another name.
    HardwareRenamed {
        /// The name that it had.
        hardware: HardwareName,
        /// The name that it has since.
        to: HardwareName,
    },
    /// A worker registered under a new name, from another machine, or for another hardware target.
    WorkerRegistered {
        /// The worker.
        worker: WorkerName,
        /// The hardware target that it measures for.
        hardware: HardwareName,
    },
    /// A machine may measure for a hardware target although its fingerprint is another one.
    MachineConfirmed {
        /// The hardware target.
        hardware: HardwareName,
        /// The worker on that machine.
        worker: WorkerName,
    },
    /// A dataset was frozen.
    DatasetFrozen {
        /// The hardware target.
        hardware: HardwareName,
        /// The dataset.
        dataset: Digest,
    },
    /// Measurements were marked as not to be trained on.
    MeasurementsExcluded {
        /// The hardware target.
        hardware: HardwareName,
        /// Which ones.
        measurements: Vec<MeasurementKey>,
    },
    /// A version was created.
    VersionCreated {
        /// The hardware target.
        hardware: HardwareName,
        /// The version's number.
        version: u32,
        /// The digest of its content.
        digest: Digest,
    },
    /// The traffic of a hardware target was divided otherwise.
    TrafficSet {
        /// The hardware target.
        hardware: HardwareName,
        /// The generation of its traffic now.
        generation: u64,
        /// Who answers a share of the requests for production now.
        canary: Option<Share>,
        /// Who predicts a share of them beside production now.
        shadow: Option<Share>,
    },
    /// An alias moved.
    AliasMoved {
        /// The hardware target.
        hardware: HardwareName,
        /// The alias.
        alias: AliasName,
        /// The version it points at now.
        version: u32,
        /// Its generation now.
        generation: u64,
        /// The version it pointed at before.
        previous: Option<u32>,
        /// What its gate said, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<Verdict>,
        /// Whether it moved although the gate refused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forced: bool,
        /// Whether it was rolled back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rolled_back: bool,
    },
    /// A version was validated.
    VersionValidated {
        /// The hardware target.
        hardware: HardwareName,
        /// The version.
        version: u32,
        /// The number of the report.
        validation: u32,
        /// The digest of the report.
        digest: Digest,
    },
    /// The rules of a gate were set.
    GateSet {
        /// The hardware target.
        hardware: HardwareName,
        /// Its generation now.
        generation: u64,
    },
    /// A job was put into the queue.
    JobCreated {
        /// The job's number.
        job: u64,
        /// What it does.
        job_kind: JobKind,
        /// The hardware target that it does it for.
        hardware: HardwareName,
    },
    /// Somebody wants a running job to end.
    JobCancelRequested {
        /// The job's number.
        job: u64,
        /// What it does.
        job_kind: JobKind,
        /// The hardware target that it does it for.
        hardware: HardwareName,
    },
    /// A job ended.
    JobEnded {
        /// The job's number.
        job: u64,
        /// What it did.
        job_kind: JobKind,
        /// The hardware target that it did it for.
        hardware: HardwareName,
        /// How it ended.
        state: JobState,
    },
    /// A webhook was created.
    WebhookCreated {
        /// The webhook.
        webhook: WebhookId,
    },
    /// A webhook was deleted.
    WebhookDeleted {
        /// The webhook.
        webhook: WebhookId,
    },
    /// A token was created.
    TokenCreated {
        /// Its id.
        token: TokenId,
        /// Whose it is.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Its id.
        token: TokenId,
        /// Whose it was.
        name: String,
    },
    /// Measurements of one space were recorded.
    MeasurementsRecorded {
        /// The hardware target.
        hardware: HardwareName,
        /// The search space.
        space: String,
        /// The replicates they are of.
        #[serde(rename = "rounds")]
        replicates: BTreeSet<u32>,
        /// How many there are.
        count: usize,
        /// The SHA-256 of the canonical JSON of them all, by replicate and then by digest.
        digest: Digest,
    },
    /// The measurements of one space were deleted.
    MeasurementsDeleted {
        /// The hardware target.
        hardware: HardwareName,
        /// The search space.
        space: String,
        /// How many there were.
        count: usize,
    },
    /// Blobs that no record named were removed.
    BlobsCollected {
        /// How many.
        count: u64,
        /// Their size, in bytes.
        bytes: u64,
    },
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
    /// Why; null where no reason was given.
    pub reason: Option<String>,
    /// What happened.
    pub change: Change,
    /// The record as it was before; left out where there was none, or it is for admins alone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The record as it is since, or what identifies it; left out where there is none, or it is for admins alone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// The hash of the entry before; zeros for the first.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub previous: Digest,
    /// SHA-256 of the canonical JSON of this entry without this field.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub hash: Digest,
}

// Kept elsewhere, it shows later that the log was not cut short or written anew as a whole, which the chain alone cannot.
/// The end of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditHead {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$"))]
    pub hash: Digest,
}

/// A change, for whoever waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// What happened.
    pub change: Change,
}

impl Change {
    /// Whether it is about a hardware target, by the name before or after it was given another.
    pub fn is_about(&self, name: &HardwareName) -> bool {
        match self {
            Self::HardwareRenamed { hardware, to } => hardware == name || to == name,
            other => other.hardware() == Some(name),
        }
    }

    /// The hardware target that it is about, where it is about one.
    pub fn hardware(&self) -> Option<&HardwareName> {
        match self {
            Self::HardwareCreated { hardware }
            | Self::HardwareDeleted { hardware }
            | Self::HardwareRenamed { hardware, .. }
            | Self::MeasurementsDeleted { hardware, .. }
            | Self::ReferenceSet { hardware, .. }
            | Self::WorkerRegistered { hardware, .. }
            | Self::MachineConfirmed { hardware, .. }
            | Self::DatasetFrozen { hardware, .. }
            | Self::MeasurementsExcluded { hardware, .. }
            | Self::VersionCreated { hardware, .. }
            | Self::AliasMoved { hardware, .. }
            | Self::MeasurementsRecorded { hardware, .. }
            | Self::VersionValidated { hardware, .. }
            | Self::GateSet { hardware, .. }
            | Self::TrafficSet { hardware, .. }
            | Self::JobCreated { hardware, .. }
            | Self::JobCancelRequested { hardware, .. }
            | Self::JobEnded { hardware, .. } => Some(hardware),
            Self::WebhookCreated { .. }
            | Self::WebhookDeleted { .. }
            | Self::TokenCreated { .. }
            | Self::TokenRevoked { .. }
            | Self::BlobsCollected { .. } => None,
        }
    }
}

impl AuditEntry {
    /// The hash that this entry should have.
    ///
    /// # Errors
    /// Those of [`canonical_json`].
    pub fn expected_hash(&self) -> Result<Digest> {
        #[derive(Serialize)]
        struct Hashed<'a> {
            sequence: u64,
            at: &'a str,
            actor: &'a str,
            reason: Option<&'a str>,
            change: &'a Change,
            #[serde(skip_serializing_if = "Value::is_null")]
            before: &'a Value,
            #[serde(skip_serializing_if = "Value::is_null")]
            after: &'a Value,
            previous: &'a Digest,
        }
        let Self {
            sequence,
            at,
            actor,
            reason,
            change,
            before,
            after,
            previous,
            hash: _,
        } = self;
        let hashed = Hashed {
            sequence: *sequence,
            at,
            actor,
            reason: reason.as_deref(),
            change,
            before,
            after,
            previous,
        };
        Ok(Digest::of(&canonical_json(&hashed)?))
    }
}

impl AuditHead {
    /// The head of an empty log.
    pub fn empty() -> Self {
        Self {
            entries: 0,
            hash: Digest::zero(),
        }
    }

    /// Checks that a log, whose chain holds and which ends here, goes on from `kept`, the head that it had once.
    /// `entry` is the log's entry of the number that `kept` has, where there is one.
    ///
    /// # Errors
    /// [`Error::AuditBroken`] for a log that was cut short or written anew.
    pub fn continues(&self, kept: &Self, entry: Option<&AuditEntry>) -> Result<()> {
        let broken = |sequence, reason| Err(Error::AuditBroken { sequence, reason });
        if kept.entries == 0 {
            return Ok(());
        }
        match entry.filter(|entry| entry.sequence == kept.entries) {
            None => {
                let reason = "it is missing: the log was cut short since the head was kept, and its head with it";
                broken(self.entries + 1, format!("{reason}; it had {} entries", kept.entries))
            }
            Some(entry) if entry.hash != kept.hash => {
                let reason = "it is not the entry whose hash was kept: the log was written anew, from there or before";
                broken(kept.entries, format!("{reason}; the kept hash is {}", kept.hash))
            }
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entries, self.hash)
    }
}

impl FromStr for AuditHead {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.trim().split_once(':');
        let head = parts.and_then(|(entries, hash)| {
            let (entries, hash) = (entries.parse().ok()?, hash.parse().ok()?);
            Some(Self { entries, hash })
        });
        head.ok_or_else(|| Error::invalid("head", format!("expected NUMBER:sha256:HEX, got {}", quoted(text))))
    }
}
