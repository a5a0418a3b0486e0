//! The audit log, and the events that tell of the same changes.
//!
//! An audit entry is for whoever asks afterwards: who, why, and a hash chain that shows every edit. An event is for
//! whoever waits for the change: it says what changed and no more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AliasName, Digest, HardwareName, MeasurementKey, ReferenceNetwork, Result, Share, canonical_json};

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
    },
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// When it was written; RFC 3339, UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// What happened.
    pub change: Change,
    /// The record as it was before, where there was one.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The record as it is since, or what identifies it where it is large.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// The hash of the entry before; zeros for the first.
    pub previous: Digest,
    /// The digest of the canonical JSON of this entry without this field.
    pub hash: Digest,
}

/// The end of the audit log. Kept elsewhere, it shows later that the log was not cut short or written anew as a
/// whole, which the chain alone cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last; zeros where there is none.
    pub hash: Digest,
}

/// A change, for whoever waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// When it happened; RFC 3339, UTC.
    pub at: String,
    /// What happened.
    pub change: Change,
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
}
