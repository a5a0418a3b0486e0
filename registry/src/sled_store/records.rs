//! Every kind of record: how it reads back, which blobs it names, and whether the audit log tells what it holds.
//!
//! A record of a kind that is not here cannot be written, so that checks of the registry forget none.

use serde::de::DeserializeOwned;

use super::stored::{IdempotencyRecord, StoredReport, StoredVersion, decode};
use super::turns::Turns;
use crate::storage::packing::Packed;
use crate::{
    Agreement, Alias, AuditEntry, AuditHead, Credential, Dataset, Delivery, Digest, Error, Event, Exclusion, Gate,
    HardwareName, HardwareTarget, Job, Measurement, Result, Traffic, Webhook, Worker,
};

/// A kind of record, named by the first part of its key.
pub(super) struct RecordKind {
    name: &'static str,
    /// Whether every write of it has an audit entry whose `after` is the record.
    pub(super) audited: bool,
    /// Whether it belongs to one hardware target, whose name is the second part of its key.
    of_target: bool,
    /// Reads a record back: the blobs that it names, which must be there.
    pub(super) read: fn(key: &str, record: &Packed) -> Result<Vec<Digest>>,
}

const KINDS: &[RecordKind] = &[
    logged("alias", plain::<Alias>).of_target(),
    unlogged("audit", plain::<AuditEntry>),
    unlogged("audit-head", plain::<AuditHead>),
    logged("dataset", |key, record| {
        decode::<Dataset>(key, record).map(|dataset| vec![dataset.blob])
    })
    .of_target(),
    // Each of the measurements tells it.
    unlogged("definition", plain::<Digest>).of_target(),
    unlogged("event", plain::<Event>),
    logged("exclusion", plain::<Exclusion>).of_target(),
    logged("gate", plain::<Gate>).of_target(),
    logged("hardware", plain::<HardwareTarget>).of_target(),
    unlogged("idempotency", plain::<IdempotencyRecord>),
    unlogged("idempotency-looked", plain::<String>),
    // The log tells of beginnings and ends; progress is not for it.
    unlogged("job", plain::<Job>),
    unlogged("jobs-open", plain::<Vec<u64>>),
    unlogged("jobs-turns", plain::<Turns>),
    // The log has the digest of many at once.
    unlogged("measurement", plain::<Measurement>).of_target(),
    unlogged("predictions", plain::<u64>).of_target(),
    unlogged("recorded", plain::<Vec<String>>),
    unlogged("shadow", plain::<Agreement>).of_target(),
    // But for what its secret is recognised by.
    logged("token", plain::<Credential>),
    logged("traffic", plain::<Traffic>).of_target(),
    logged("validation", |key, record| {
        decode::<StoredReport>(key, record).map(|report| vec![report.digest])
    })
    .of_target(),
    logged("version", |key, record| {
        decode::<StoredVersion>(key, record).map(|version| vec![version.digest])
    })
    .of_target(),
    logged("webhook", plain::<Webhook>),
    // How far events were delivered is a count, and secrets are kept from the log.
    unlogged("webhook-delivery", plain::<Delivery>),
    unlogged("webhook-secret", plain::<String>),
    // The log tells of machines that come; signs of life are not for it.
    unlogged("worker", plain::<Worker>),
];

type Read = fn(&str, &Packed) -> Result<Vec<Digest>>;

impl RecordKind {
    const fn of_target(mut self) -> Self {
        self.of_target = true;
        self
    }
}

const fn logged(name: &'static str, read: Read) -> RecordKind {
    RecordKind {
        name,
        audited: true,
        of_target: false,
        read,
    }
}

const fn unlogged(name: &'static str, read: Read) -> RecordKind {
    RecordKind {
        name,
        audited: false,
        of_target: false,
        read,
    }
}

/// A record that names no blob.
fn plain<T: DeserializeOwned>(key: &str, record: &Packed) -> Result<Vec<Digest>> {
    decode::<T>(key, record).map(|_| Vec::new())
}

/// The kind of the record with this key.
///
/// # Errors
/// [`Error::CorruptRecord`] where there is no such kind.
pub(super) fn kind(key: &str) -> Result<&'static RecordKind> {
    let name = key.split('/').next().unwrap_or_default();
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| Error::CorruptRecord {
            key: key.to_owned(),
            reason: format!("records of the kind {name:?} are unknown to this program"),
        })
}

/// The hardware target that the record with this key belongs to.
pub(super) fn hardware_of(key: &str) -> Option<&str> {
    let kind = kind(key).ok()?;
    key.split('/').nth(1).filter(|_| kind.of_target)
}

/// The keys of a hardware target's records, or what stands before `/` in them, by kind.
pub(super) fn keys_of(hardware: &HardwareName) -> Vec<String> {
    let kinds = KINDS.iter().filter(|kind| kind.of_target);
    kinds.map(|kind| format!("{}/{hardware}", kind.name)).collect()
}

/// The key that the record of a hardware target has where that is called `name`.
pub(super) fn of_target(key: &str, name: &HardwareName) -> String {
    let mut parts: Vec<&str> = key.split('/').collect();
    if let Some(hardware) = parts.get_mut(1) {
        *hardware = name.as_str();
    }
    parts.join("/")
}
