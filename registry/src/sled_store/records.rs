//! Every kind of record: how it reads back, which blobs it names, and whether the audit log tells what it holds.
//!
//! A record of a kind that is not here cannot be written, so that checks of the registry forget none.

use serde::de::DeserializeOwned;

use super::{decode, idempotency, turns, validations, versions};
use crate::{
    Agreement, Alias, AuditEntry, AuditHead, Credential, Dataset, Delivery, Digest, Error, Event, Exclusion, Gate,
    HardwareTarget, Job, Measurement, Result, Traffic, Webhook, Worker,
};

/// A kind of record, named by the first part of its key.
pub(super) struct Kind {
    name: &'static str,
    /// Whether every write of it has an audit entry whose `after` is the record.
    pub(super) audited: bool,
    /// Reads a record back: the blobs that it names, which must be there.
    pub(super) read: fn(key: &str, bytes: &[u8]) -> Result<Vec<Digest>>,
}

const KINDS: &[Kind] = &[
    logged("alias", plain::<Alias>),
    unlogged("audit", plain::<AuditEntry>),
    unlogged("audit-head", plain::<AuditHead>),
    logged("dataset", |key, bytes| {
        decode::<Dataset>(key, bytes).map(|dataset| vec![dataset.blob])
    }),
    unlogged("event", plain::<Event>),
    logged("exclusion", plain::<Exclusion>),
    logged("gate", plain::<Gate>),
    logged("hardware", plain::<HardwareTarget>),
    unlogged("idempotency", plain::<idempotency::Use>),
    unlogged("idempotency-looked", plain::<String>),
    // The log tells of beginnings and ends; progress is not for it.
    unlogged("job", plain::<Job>),
    unlogged("jobs-open", plain::<Vec<u64>>),
    unlogged("jobs-turns", plain::<turns::Turns>),
    // The log has the digest of many at once.
    unlogged("measurement", plain::<Measurement>),
    unlogged("predictions", plain::<u64>),
    unlogged("recorded", plain::<Vec<String>>),
    unlogged("shadow", plain::<Agreement>),
    // But for what its secret is recognised by.
    logged("token", plain::<Credential>),
    logged("traffic", plain::<Traffic>),
    logged("validation", |key, bytes| {
        decode::<validations::Record>(key, bytes).map(|report| vec![report.digest])
    }),
    logged("version", |key, bytes| {
        decode::<versions::Record>(key, bytes).map(|version| vec![version.digest])
    }),
    logged("webhook", plain::<Webhook>),
    // How far events were delivered is a count, and secrets are kept from the log.
    unlogged("webhook-delivery", plain::<Delivery>),
    unlogged("webhook-secret", plain::<String>),
    // The log tells of machines that come; signs of life are not for it.
    unlogged("worker", plain::<Worker>),
];

type Read = fn(&str, &[u8]) -> Result<Vec<Digest>>;

const fn logged(name: &'static str, read: Read) -> Kind {
    Kind {
        name,
        audited: true,
        read,
    }
}

const fn unlogged(name: &'static str, read: Read) -> Kind {
    Kind {
        name,
        audited: false,
        read,
    }
}

/// A record that names no blob.
fn plain<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<Vec<Digest>> {
    decode::<T>(key, bytes).map(|_| Vec::new())
}

/// The kind of the record with this key.
///
/// # Errors
/// [`Error::CorruptRecord`] where there is no such kind.
pub(super) fn kind(key: &str) -> Result<&'static Kind> {
    let name = key.split('/').next().unwrap_or_default();
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| Error::CorruptRecord {
            key: key.to_owned(),
            reason: format!("records of the kind {name:?} are unknown to this program"),
        })
}
