//! A set of changes that is committed as one: records, the audit entry, the event.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::reading::{entries, page};
use super::stored::{decode, decode_json};
use super::{keys, records};
use crate::storage::durable::{Batch, storage};
use crate::storage::packing::Packed;
use crate::{AuditEntry, AuditHead, Change, Digest, Error, Event, Expected, Result, canonical_json, clock};

/// Fails with [`Error::StaleGeneration`] where what is to be moved has moved since the caller looked; `current` is none where it does
/// not exist.
pub(super) fn check_generation(what: &dyn std::fmt::Display, expected: &Expected, current: Option<u64>) -> Result<()> {
    if expected.admits(current) {
        return Ok(());
    }
    Err(Error::StaleGeneration {
        what: what.to_string(),
        expected: expected.clone(),
        current: current.unwrap_or(0),
    })
}

/// Changes on their way into the database. Reads see the changes made so far.
pub(super) struct Changes<'a> {
    db: &'a sled::Db,
    /// The new JSON of each record, or none where it is removed.
    pending: BTreeMap<String, Option<Vec<u8>>>,
    logged: Vec<Change>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(db: &'a sled::Db) -> Self {
        Self {
            db,
            pending: BTreeMap::new(),
            logged: Vec::new(),
        }
    }

    /// A record, where there is one.
    pub(super) fn find<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        if let Some(value) = self.pending.get(key) {
            return value.as_ref().map(|bytes| decode_json(key, bytes)).transpose();
        }
        let value = self.db.get(key).map_err(storage("read a record"))?;
        value.map(|bytes| decode(key, &Packed::new(bytes))).transpose()
    }

    /// Fails with [`Error::NotFound`], saying `what` and `id`, where the record is missing.
    pub(super) fn require(&self, what: &'static str, id: impl std::fmt::Display, key: &str) -> Result<()> {
        let there = match self.pending.get(key) {
            Some(value) => value.is_some(),
            None => self.db.contains_key(key).map_err(storage("read a record"))?,
        };
        if there { Ok(()) } else { Err(Error::not_found(what, id)) }
    }

    /// The records below a prefix, as they were before these changes.
    pub(super) fn scan(&self, prefix: &str) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        entries(self.db.scan_prefix(prefix))
    }

    /// The record of this key, where there is one, as it was before these changes.
    pub(super) fn scan_one(&self, key: String) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        let found = self.db.get(&key).map_err(storage("read a record")).transpose();
        let found = found.map(|record| record.map(|record| (key, Packed::new(record))));
        found.into_iter()
    }

    /// The records below a prefix, from the first key behind `after` on.
    pub(super) fn scan_after(
        &self,
        prefix: &str,
        after: &str,
    ) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        let end = format!("{prefix}\u{10ffff}");
        let begin = Bound::Excluded(after.max(prefix).to_owned());
        entries(self.db.range((begin, Bound::Excluded(end))))
    }

    /// The last key below a prefix.
    pub(super) fn last(&self, prefix: &str) -> Result<Option<String>> {
        let pending = self.pending.range(prefix.to_owned()..).map(|(key, _)| key);
        let pending = pending.take_while(|key| key.starts_with(prefix)).last().cloned();
        let last = self
            .db
            .scan_prefix(prefix)
            .next_back()
            .transpose()
            .map_err(storage("list records"))?;
        Ok(last
            .map(|(key, _)| String::from_utf8_lossy(&key).into_owned())
            .max(pending))
    }

    /// Writes a record. Its kind must be known: what cannot be read back must not be written.
    pub(super) fn put<T: Serialize>(&mut self, key: String, value: &T) -> Result<()> {
        records::kind(&key)?;
        self.pending.insert(key, Some(canonical_json(value)?));
        Ok(())
    }

    /// Writes a record as it stood under another key.
    pub(super) fn copy(&mut self, key: String, json: &[u8]) {
        self.pending.insert(key, Some(json.to_vec()));
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, key: String) {
        self.pending.insert(key, None);
    }

    /// Writes the audit entry and the event of a change, with the record as it was and as it is since. The entry's number.
    pub(super) fn log(
        &mut self,
        change: Change,
        actor: &str,
        reason: Option<&str>,
        (before, after): (Value, Value),
    ) -> Result<u64> {
        self.logged.push(change.clone());
        let at = clock::now();
        let sequence = self.last(keys::EVENT)?.map_or(Ok(0), |key| keys::number::<u64>(&key))? + 1;
        let event = Event {
            sequence,
            at: at.clone(),
            change: change.clone(),
        };
        self.put(keys::event(sequence), &event)?;

        let head: AuditHead = self.find(keys::AUDIT_HEAD)?.unwrap_or_else(AuditHead::empty);
        let mut entry = AuditEntry {
            sequence: head.entries + 1,
            at,
            actor: actor.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            change,
            before,
            after,
            previous: head.hash,
            hash: Digest::zero(),
        };
        entry.hash = entry.expected_hash()?;
        self.put(
            keys::AUDIT_HEAD.to_owned(),
            &AuditHead {
                entries: entry.sequence,
                hash: entry.hash.clone(),
            },
        )?;
        self.put(keys::audit(entry.sequence), &entry)?;
        Ok(entry.sequence)
    }

    /// The changes as one batch; `None` where there are none.
    pub(super) fn into_batch(self) -> Option<Batch> {
        let mut batch = Batch::default();
        let some = !self.pending.is_empty();
        for (key, value) in self.pending {
            match value {
                Some(value) => batch.insert(key, &value),
                None => batch.remove(key),
            }
        }
        some.then_some(batch)
    }

    /// The changes that were logged, in order.
    pub(super) fn logged(&self) -> &[Change] {
        &self.logged
    }
}

impl super::SledStore {
    /// Records numbered from 1, from one sequence on.
    pub(super) fn list_sequence<T: DeserializeOwned>(
        &self,
        key: fn(u64) -> String,
        from: u64,
        limit: usize,
    ) -> Result<Vec<T>> {
        let range = self.db.range(key(from)..=key(u64::MAX));
        page(entries(range).take(limit))
            .map(|entry| entry.and_then(|(key, bytes)| decode(&key, &bytes)))
            .collect()
    }
}
