//! Checking the audit log.

use std::sync::PoisonError;

use super::{SledStore, decode, keys};
use crate::{AuditEntry, AuditHead, Error, Result, canonical_json};

impl SledStore {
    pub(super) fn check_audit(&self) -> Result<AuditHead> {
        // With the writers waiting, entries and head are of one moment.
        let _turn = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = AuditHead::empty();
        for entry in self.scan(keys::AUDIT) {
            let (key, bytes) = entry?;
            head = follow(&head, &key, &bytes)?;
        }
        let recorded: AuditHead = self.find(keys::AUDIT_HEAD)?.unwrap_or_else(AuditHead::empty);
        if recorded == head {
            Ok(head)
        } else {
            let reason = format!(
                "the log should end at entry {} with {}",
                recorded.entries, recorded.hash
            );
            Err(Error::AuditBroken {
                sequence: head.entries + 1,
                reason,
            })
        }
    }
}

/// The head after one more entry, which must continue the head before it and be stored as it was written.
fn follow(head: &AuditHead, key: &str, bytes: &[u8]) -> Result<AuditHead> {
    let sequence = head.entries + 1;
    let broken = |reason: &str| Error::AuditBroken {
        sequence,
        reason: reason.to_owned(),
    };
    if key != keys::audit(sequence) {
        return Err(broken(&format!("found {key} in its place")));
    }
    let entry: AuditEntry = decode(key, bytes).map_err(|error| broken(&error.to_string()))?;
    if entry.sequence != sequence {
        return Err(broken("it has another number"));
    }
    if entry.previous != head.hash {
        return Err(broken("it does not follow the entry before"));
    }
    if entry.hash != entry.expected_hash()? || canonical_json(&entry)? != bytes {
        return Err(broken("it was changed"));
    }
    Ok(AuditHead {
        entries: sequence,
        hash: entry.hash,
    })
}
