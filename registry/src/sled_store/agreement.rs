//! Whether the records are what the audit log tells: a record that was edited behind the log's back is found by it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SledStore, keys, records};
use crate::{AuditEntry, Change, Digest, Exclusion, Finding, Result, canonical_json};

/// What the audit log tells, gathered entry by entry.
#[derive(Default)]
pub(super) struct Told {
    /// By key: the last entry that wrote the record, and the digest of what it wrote. Entries from before the log kept
    /// records have no digest.
    records: BTreeMap<String, (u64, Option<Digest>)>,
    /// By prefix: how many measurements were recorded.
    measurements: BTreeMap<String, u64>,
}

impl Told {
    /// Takes the next entry in.
    pub(super) fn note(&mut self, entry: &AuditEntry) -> Result<()> {
        for (key, record) in written(entry) {
            let digest = record.map(|record| canonical_json(&record).map(|bytes| Digest::of(&bytes)));
            self.records.insert(key, (entry.sequence, digest.transpose()?));
        }
        if let Change::WebhookDeleted { webhook } = &entry.change {
            self.records.remove(&keys::webhook(webhook));
        }
        if let Change::MeasurementsRecorded {
            hardware, space, count, ..
        } = &entry.change
        {
            *self
                .measurements
                .entry(keys::measurements(hardware, space, None))
                .or_default() += *count as u64;
        }
        Ok(())
    }

    /// Where the records differ from what the log tells, by key.
    pub(super) fn differences(mut self, store: &SledStore) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let mut find = |subject: String, fault: String| findings.push(Finding { subject, fault });
        for record in store.scan("") {
            let (key, bytes) = record?;
            // One of an unknown kind is not the log's matter.
            if !records::kind(&key).is_ok_and(|kind| kind.audited) {
                continue;
            }
            match self.records.remove(&key) {
                None => find(key, "no entry of the audit log tells of it".to_owned()),
                Some((sequence, Some(told))) if told != Digest::of(&bytes) => {
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
        for (prefix, told) in self.measurements {
            let found = store.scan(&prefix).count() as u64;
            if found < told {
                find(
                    prefix,
                    format!("{found} measurements are there; the audit log tells of {told}"),
                );
            }
        }
        Ok(findings)
    }
}

/// The records that an entry tells of, by key, each as it was written where the entry holds it.
fn written(entry: &AuditEntry) -> Vec<(String, Option<Value>)> {
    let after = Some(entry.after.clone()).filter(|after| !after.is_null());
    match &entry.change {
        Change::HardwareCreated { hardware } | Change::ReferenceSet { hardware, .. } => {
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
            let key = |m: &crate::MeasurementKey| keys::exclusion(hardware, &m.space, m.round, &m.digest);
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
        Change::WebhookDeleted { .. }
        | Change::TokenCreated { .. }
        | Change::TokenRevoked { .. }
        | Change::JobCreated { .. }
        | Change::JobCancelRequested { .. }
        | Change::JobEnded { .. }
        | Change::MeasurementsRecorded { .. }
        | Change::BlobsCollected { .. } => vec![],
    }
}
