//! Reading and checking the audit log.

use std::cmp::Ordering;

use super::agreement::Told;
use super::reading::{entries, page};
use super::stored::decode;
use super::{SledStore, keys};
use crate::storage::packing::Packed;
use crate::{Audit, AuditEntry, AuditFrom, AuditHead, AuditQuery, Error, Event, Finding, Result, canonical_json};

impl Audit for SledStore {
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.list_sequence(keys::audit, from, limit)
    }

    fn verify_audit(&self) -> Result<AuditHead> {
        // With the writers waiting, entries, head and records are of one moment.
        let _turn = self.settled_turn()?;
        let (head, told) = self.follow_audit()?;
        match told.differences(self)?.into_iter().next() {
            None => Ok(head),
            Some(Finding { subject, fault }) => Err(Error::RecordDiffers {
                key: subject,
                reason: fault,
            }),
        }
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        self.list_sequence(keys::event, from, limit)
    }

    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let AuditQuery { from, limit, filter } = query;
        let filter = filter.read()?;
        let read = |record: Result<(String, Packed)>| -> Result<AuditEntry> {
            let (key, bytes) = record?;
            decode(&key, &bytes)
        };
        let wanted = |record: &Result<(String, Packed)>| match record {
            Ok((key, bytes)) if filter.asks() => {
                decode::<AuditEntry>(key, bytes).map_or(true, |entry| filter.takes(&entry))
            }
            _ => true,
        };
        match from {
            AuditFrom::Sequence(first) => {
                let range = entries(self.db.range(keys::audit(*first)..=keys::audit(u64::MAX)));
                page(range.filter(wanted).take(*limit)).map(read).collect()
            }
            AuditFrom::Before(end) => {
                let range = entries(self.db.range(keys::audit(0)..keys::audit(*end)).rev());
                let newest: Result<Vec<_>> = page(range.filter(wanted).take(*limit)).map(read).collect();
                newest.map(|mut page| {
                    page.reverse();
                    page
                })
            }
        }
    }
}

impl SledStore {
    /// Follows the chain from the first entry to the recorded head.
    pub(super) fn follow_audit(&self) -> Result<(AuditHead, Told)> {
        let mut head = AuditHead::empty();
        let mut told = Told::default();
        for record in self.scan(keys::AUDIT) {
            let (key, record) = record?;
            let entry = follow(&head, &key, &record)?;
            told.note(&entry)?;
            head = AuditHead {
                entries: entry.sequence,
                hash: entry.hash,
            };
        }
        let recorded: AuditHead = self.find(keys::AUDIT_HEAD)?.unwrap_or_else(AuditHead::empty);
        check_end(&head, &recorded)?;
        Ok((head, told))
    }
}

fn broken<T>(sequence: u64, reason: impl Into<String>) -> Result<T> {
    Err(Error::AuditBroken {
        sequence,
        reason: reason.into(),
    })
}

/// The next entry, which must continue the chain and be stored as it was written.
fn follow(head: &AuditHead, key: &str, record: &Packed) -> Result<AuditEntry> {
    let sequence = head.entries + 1;
    if key != keys::audit(sequence) {
        return match keys::number::<u64>(key) {
            Ok(found) if found > sequence && key == keys::audit(found) => {
                broken(sequence, format!("it is missing; the next one is entry {found}"))
            }
            _ => broken(sequence, format!("{key:?} was inserted in its place")),
        };
    }
    let entry: AuditEntry = match decode(key, record) {
        Ok(entry) => entry,
        Err(error) => return broken(sequence, format!("it was changed: {error}")),
    };
    if entry.hash != entry.expected_hash()? || *canonical_json(&entry)? != *record.json(key)? {
        return broken(sequence, "it was changed: its hash is not that of its content");
    }
    if entry.sequence != sequence {
        let number = entry.sequence;
        return broken(
            sequence,
            format!("it was replaced: its content is that of entry {number}"),
        );
    }
    if entry.previous != head.hash {
        let reason = match head.entries {
            0 => "it was inserted or replaced: the first entry follows nothing".to_owned(),
            before => format!("it does not follow entry {before}: one of the two was inserted or replaced"),
        };
        return broken(sequence, reason);
    }
    Ok(entry)
}

/// Compares where the entries end with where the log says that it ends.
fn check_end(found: &AuditHead, recorded: &AuditHead) -> Result<()> {
    match found.entries.cmp(&recorded.entries) {
        Ordering::Less => broken(
            found.entries + 1,
            format!(
                "it is missing, or the head was changed: that says that the log ends at entry {}",
                recorded.entries
            ),
        ),
        Ordering::Greater => broken(
            recorded.entries + 1,
            format!(
                "it was inserted, or the head was changed: that says that the log ends at entry {}",
                recorded.entries
            ),
        ),
        Ordering::Equal if found.hash != recorded.hash => broken(
            found.entries,
            format!(
                "the head was changed: it says {}, the entry {}",
                recorded.hash, found.hash
            ),
        ),
        Ordering::Equal => Ok(()),
    }
}
