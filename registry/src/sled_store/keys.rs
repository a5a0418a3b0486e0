//! Keys of the records. The crate's documentation has the table.

use crate::{AliasName, Digest, Error, HardwareName, Result, TokenId, WebhookId, WorkerName};

pub(super) const AUDIT: &str = "audit/";
pub(super) const AUDIT_HEAD: &str = "audit-head";
pub(super) const EVENT: &str = "event/";
pub(super) const IDEMPOTENCY: &str = "idempotency/";
/// How far answers were looked at.
pub(super) const IDEMPOTENCY_LOOKED: &str = "idempotency-looked";
pub(super) const HARDWARE: &str = "hardware/";
pub(super) const JOB: &str = "job/";
pub(super) const JOBS_OPEN: &str = "jobs-open";
pub(super) const JOBS_TURNS: &str = "jobs-turns";
pub(super) const WORKER: &str = "worker/";
pub(super) const WEBHOOK: &str = "webhook/";
pub(super) const TOKEN: &str = "token/";
pub(super) const MEASUREMENT: &str = "measurement/";
pub(super) const RECORDED: &str = "recorded/";

pub(super) fn hardware(name: &HardwareName) -> String {
    format!("{HARDWARE}{name}")
}

pub(super) fn measurement(hardware: &HardwareName, space: &str, replicate: u32, digest: &Digest) -> String {
    format!("{}{}", measurements(hardware, space, Some(replicate)), digest.hex())
}

/// Which measurements an audit entry is about.
pub(super) fn recorded(sequence: u64) -> String {
    format!("{RECORDED}{sequence:020}")
}

/// The prefix of the measurements of a space, of one replicate or of all.
pub(super) fn measurements(hardware: &HardwareName, space: &str, replicate: Option<u32>) -> String {
    let all = format!("measurement/{hardware}/{space}/");
    replicate.map_or(all.clone(), |replicate| format!("{all}{replicate:010}/"))
}

/// The definition of a space that the measurements of a hardware target belong to.
pub(super) fn definition(hardware: &HardwareName, space: &str) -> String {
    format!("definition/{hardware}/{space}")
}

/// The prefix of the measurements of a hardware target, of all spaces.
pub(super) fn measured(hardware: &HardwareName) -> String {
    format!("{MEASUREMENT}{hardware}/")
}

pub(super) fn exclusion(hardware: &HardwareName, space: &str, replicate: u32, digest: &Digest) -> String {
    format!("{}{replicate:010}/{}", exclusions(hardware, space), digest.hex())
}

pub(super) fn exclusions(hardware: &HardwareName, space: &str) -> String {
    format!("exclusion/{hardware}/{space}/")
}

pub(super) fn predictions(hardware: &HardwareName) -> String {
    format!("predictions/{hardware}")
}

pub(super) fn dataset(hardware: &HardwareName, digest: &Digest) -> String {
    format!("{}{}", datasets(hardware), digest.hex())
}

pub(super) fn datasets(hardware: &HardwareName) -> String {
    format!("dataset/{hardware}/")
}

pub(super) fn version(hardware: &HardwareName, version: u32) -> String {
    format!("{}{version:010}", versions(hardware))
}

pub(super) fn versions(hardware: &HardwareName) -> String {
    format!("version/{hardware}/")
}

/// `scope` tells apart what different operations use the same key for; the key may hold a `/`.
pub(super) fn idempotency(scope: &str, key: &str) -> String {
    format!("{IDEMPOTENCY}{scope}/{key}")
}

pub(super) fn alias(hardware: &HardwareName, name: &AliasName) -> String {
    format!("{}{name}", aliases(hardware))
}

pub(super) fn aliases(hardware: &HardwareName) -> String {
    format!("alias/{hardware}/")
}

pub(super) fn gate(hardware: &HardwareName) -> String {
    format!("gate/{hardware}")
}

pub(super) fn validation(hardware: &HardwareName, number: u32) -> String {
    format!("{}{number:010}", validations(hardware))
}

pub(super) fn validations(hardware: &HardwareName) -> String {
    format!("validation/{hardware}/")
}

pub(super) fn job(id: u64) -> String {
    format!("{JOB}{id:020}")
}

pub(super) fn traffic(hardware: &HardwareName) -> String {
    format!("traffic/{hardware}")
}

pub(super) fn agreement(hardware: &HardwareName, production: u32, candidate: u32) -> String {
    format!("{}{production:010}-{candidate:010}", agreements(hardware))
}

pub(super) fn agreements(hardware: &HardwareName) -> String {
    format!("shadow/{hardware}/")
}

pub(super) fn audit(sequence: u64) -> String {
    format!("{AUDIT}{sequence:020}")
}

pub(super) fn event(sequence: u64) -> String {
    format!("{EVENT}{sequence:020}")
}

pub(super) fn worker(name: &WorkerName) -> String {
    format!("{WORKER}{name}")
}

pub(super) fn webhook(id: &WebhookId) -> String {
    format!("{WEBHOOK}{id}")
}

pub(super) fn webhook_secret(id: &WebhookId) -> String {
    format!("webhook-secret/{id}")
}

pub(super) fn webhook_delivery(id: &WebhookId) -> String {
    format!("webhook-delivery/{id}")
}

pub(super) fn token(id: &TokenId) -> String {
    format!("{TOKEN}{id}")
}

/// What follows the last `/` of a key.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, last)| last)
}

/// The number at the end of a key.
pub(super) fn number<T: std::str::FromStr>(key: &str) -> Result<T> {
    let corrupt = |_| Error::CorruptRecord {
        key: key.to_owned(),
        reason: "its key does not end in a number".to_owned(),
    };
    last_part(key).parse().map_err(corrupt)
}
