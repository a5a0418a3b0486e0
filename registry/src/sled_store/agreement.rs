//! Whether the records are what the audit log tells: a record that was edited behind the log's back is found by it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::stored::decode;
use super::{SledStore, keys, records};
use crate::storage::durable::storage;
use crate::storage::packing::Packed;
use crate::{AuditEntry, Change, Credential, Digest, Exclusion, Finding, HardwareName, Result, canonical_json};

/// What the audit log tells, gathered entry by entry.
#[derive(Default)]
pub(super) struct Told {
    /// By key: the last entry that wrote the record, and the digest of what it wrote. Entries from before the log kept
    /// records have no digest.
    records: BTreeMap<String, (u64, Option<Digest>)>,
    /// By entry: the measurements that were recorded.
    measurements: BTreeMap<u64, Recorded>,
}

/// Measurements that one entry tells of.
struct Recorded {
    hardware: HardwareName,
    space: String,
    digest: Digest,
}

impl Told {
    /// Takes the next entry in.
    pub(super) fn note(&mut self, entry: &AuditEntry) -> Result<()> {
        self.forget(&entry.change);
        for (key, record) in written(entry) {
            let digest = record.map(|record| canonical_json(&record).map(|bytes| Digest::of(&bytes)));
            self.records.insert(key, (entry.sequence, digest.transpose()?));
        }
        if let Change::MeasurementsRecorded {
            hardware,
            space,
            digest,
            ..
        } = &entry.change
        {
            let recorded = Recorded {
                hardware: hardware.clone(),
                space: space.clone(),
                digest: digest.clone(),
            };
            self.measurements.insert(entry.sequence, recorded);
        }
        Ok(())
    }

    /// Takes out what a change took away, and gives what it renamed its new key.
    fn forget(&mut self, change: &Change) {
        let is_of = |key: &str, hardware: &HardwareName| records::hardware_of(key) == Some(hardware.as_str());
        match change {
            Change::WebhookDeleted { webhook } => drop(self.records.remove(&keys::webhook(webhook))),
            Change::HardwareDeleted { hardware } => {
                self.records.retain(|key, _| !is_of(key, hardware));
                self.measurements.retain(|_, recorded| recorded.hardware != *hardware);
            }
            Change::HardwareRenamed { hardware, to } => {
                let records = std::mem::take(&mut self.records).into_iter().map(|(key, told)| {
                    let renamed = is_of(&key, hardware).then(|| records::of_target(&key, to));
                    (renamed.unwrap_or(key), told)
                });
                self.records = records.collect();
                // They are recorded anew, under the new name.
                self.measurements.retain(|_, recorded| recorded.hardware != *hardware);
            }
            Change::MeasurementsDeleted { hardware, space, .. } => {
                let marks = keys::exclusions(hardware, space);
                self.records.retain(|key, _| !key.starts_with(&marks));
                self.measurements
                    .retain(|_, recorded| (&recorded.hardware, &recorded.space) != (hardware, space));
            }
            _ => {}
        }
    }

    /// Where the records differ from what the log tells, by key.
    pub(super) fn differences(mut self, store: &SledStore) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let mut find = |subject: String, fault: String| findings.push(Finding { subject, fault });
        for record in store.scan("") {
            let (key, record) = record?;
            // One of an unknown kind is not the log's matter.
            if !records::kind(&key).is_ok_and(|kind| kind.audited) {
                continue;
            }
            match self.records.remove(&key) {
                None => find(key, "no entry of the audit log tells of it".to_owned()),
                Some((sequence, Some(told))) if told != Digest::of(&told_of(&key, &record)?) => {
                    find(
                        key,
                        format!("audit entry {sequence} holds it otherwise: it was changed"),
                    );
                }
                Some(_) => {}
            }
        }
        for (key, (sequence, _)) in self.records {
            find(key, format!("it is missing; audit entry {sequence} tells of it"));
        }
        findings.extend(measurements(&self.measurements, store)?);
        Ok(findings)
    }
}

/// Where the measurements differ from what the log tells. Which ones an entry is about stands beside the log, and is right
/// where their digest is the entry's.
fn measurements(told: &BTreeMap<u64, Recorded>, store: &SledStore) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut find = |subject: String, fault: String| findings.push(Finding { subject, fault });
    let mut known = HashSet::new();
    for (sequence, Recorded { digest, .. }) in told {
        let list = keys::recorded(*sequence);
        let Some(measured) = store.find::<Vec<String>>(&list)? else {
            find(
                list,
                format!("it is missing; it lists the measurements of audit entry {sequence}"),
            );
            continue;
        };
        // The canonical JSON of a list is that of its items, which is how they are stored.
        let mut text = Vec::new();
        let mut whole = true;
        for key in measured {
            text.push(if text.is_empty() { b'[' } else { b',' });
            match store.db.get(&key).map_err(storage("read a record"))? {
                // Of one that cannot be unpacked nothing is added, so that the digest is another one.
                Some(bytes) => text.extend(Packed::new(bytes).json(&key).iter().flat_map(|json| json.iter())),
                None => {
                    whole = false;
                    find(
                        key.clone(),
                        format!("it is missing; audit entry {sequence} tells of it"),
                    );
                }
            }
            known.insert(key);
        }
        text.push(b']');
        if whole && Digest::of(&text) != *digest {
            let fault = format!("audit entry {sequence} has another digest: one of them, or the list, was changed");
            find(format!("the measurements in {list}"), fault);
        }
    }
    for record in store.scan(keys::MEASUREMENT) {
        let (key, _) = record?;
        if !known.contains(&key) {
            find(key, "no entry of the audit log tells of it".to_owned());
        }
    }
    Ok(findings)
}

/// What of a record the log tells: of a token all but what its secret is recognised by. It is nothing where the record cannot
/// be read, which is found as such.
fn told_of(key: &str, record: &Packed) -> Result<Vec<u8>> {
    if !key.starts_with(keys::TOKEN) {
        return Ok(record.json(key).map_or_else(|_| Vec::new(), Cow::into_owned));
    }
    match decode::<Credential>(key, record) {
        Ok(credential) => canonical_json(&credential.token),
        Err(_) => Ok(Vec::new()),
    }
}

/// The records that an entry tells of, by key, each as it was written where the entry holds it.
fn written(entry: &AuditEntry) -> Vec<(String, Option<Value>)> {
    let after = Some(entry.after.clone()).filter(|after| !after.is_null());
    match &entry.change {
        Change::HardwareCreated { hardware }
        | Change::ReferenceSet { hardware, .. }
        | Change::MachineConfirmed { hardware, .. } => {
            vec![(keys::hardware(hardware), after)]
        }
        Change::DatasetFrozen { hardware, dataset } => vec![(keys::dataset(hardware, dataset), after)],
        Change::MeasurementsExcluded { hardware, measurements } => {
            let marks: Vec<Exclusion> = serde_json::from_value(entry.after.clone()).unwrap_or_default();
            let mark = |key| {
                marks
                    .iter()
                    .find(|mark| mark.key() == key)
                    .map(|mark| serde_json::json!(mark))
            };
            let key = |m: &crate::MeasurementKey| keys::exclusion(hardware, &m.space, m.replicate, &m.digest);
            measurements.iter().map(|m| (key(m), mark(m.clone()))).collect()
        }
        Change::VersionCreated { hardware, version, .. } => vec![(keys::version(hardware, *version), after)],
        Change::AliasMoved { hardware, alias, .. } => vec![(keys::alias(hardware, alias), after)],
        Change::TrafficSet { hardware, .. } => vec![(keys::traffic(hardware), after)],
        Change::GateSet { hardware, .. } => vec![(keys::gate(hardware), after)],
        Change::VersionValidated {
            hardware, validation, ..
        } => vec![(keys::validation(hardware, *validation), after)],
        Change::WebhookCreated { webhook } => vec![(keys::webhook(webhook), after)],
        Change::TokenCreated { token, .. } | Change::TokenRevoked { token, .. } => vec![(keys::token(token), after)],
        // Every record that was written anew, by key.
        Change::HardwareRenamed { .. } => match after {
            Some(Value::Object(records)) => records.into_iter().map(|(key, record)| (key, Some(record))).collect(),
            _ => vec![],
        },
        Change::HardwareDeleted { .. }
        | Change::MeasurementsDeleted { .. }
        | Change::WebhookDeleted { .. }
        | Change::WorkerRegistered { .. }
        | Change::JobCreated { .. }
        | Change::JobCancelRequested { .. }
        | Change::JobEnded { .. }
        | Change::MeasurementsRecorded { .. }
        | Change::BlobsCollected { .. } => vec![],
    }
}
