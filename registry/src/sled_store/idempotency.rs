//! Idempotency keys: a repeated request gets the answer of the first, for a week. Each new answer looks at some older ones, so
//! that what has served its time goes without anybody who cleans up.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::changes::Changes;
use super::keys;
use super::stored::{IdempotencyRecord, decode};
use crate::{Digest, Error, LASTING_KEY, Result, canonical_json, clock};

/// How long an answer is kept, hours.
const KEPT_HOURS: f64 = 7.0 * 24.0;

/// Older answers that a new one looks at: several times as many as come, so that no more than a part is overdue.
const LOOKED_AT: usize = 8;

/// A request that shall have its effect once, as far as its caller named it by a key.
pub(super) struct IdempotencyKey {
    /// The record's key, and the caller's.
    key: Option<(String, String)>,
    request: Digest,
}

impl IdempotencyRecord {
    fn is_over(&self) -> bool {
        let hours = self.at.as_deref().and_then(clock::hours_since);
        hours.is_some_and(|hours| hours > KEPT_HOURS)
    }
}

impl IdempotencyKey {
    /// `scope` tells apart what different operations use the same key for.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is not 1 to 255 visible ASCII characters.
    pub(super) fn new<T: Serialize + ?Sized>(scope: &str, key: Option<&str>, request: &T) -> Result<Self> {
        key.map_or(Ok(()), check_key)?;
        Ok(Self {
            key: key.map(|key| (keys::idempotency(scope, key), key.to_owned())),
            request: Digest::of(&canonical_json(request)?),
        })
    }
}

impl Changes<'_> {
    /// The answer that the same request got before, if it came before.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the key was used for another request.
    pub(super) fn answered<T: DeserializeOwned>(&self, once: &IdempotencyKey) -> Result<Option<T>> {
        let Some((record, key)) = &once.key else {
            return Ok(None);
        };
        let Some(before) = self.find::<IdempotencyRecord>(record)? else {
            return Ok(None);
        };
        if before.is_over() {
            return Ok(None);
        }
        if before.request != once.request {
            return Err(Error::conflict(format!("idempotency key {key}"), "content"));
        }
        let corrupt = |error: serde_json::Error| Error::CorruptRecord {
            key: record.clone(),
            reason: error.to_string(),
        };
        serde_json::from_value(before.answer).map(Some).map_err(corrupt)
    }

    /// Keeps the answer for repetitions; it becomes durable with the change itself.
    pub(super) fn answer<T: Serialize>(&mut self, once: IdempotencyKey, answer: &T) -> Result<()> {
        let Some((record, key)) = once.key else { return Ok(()) };
        self.forget_some()?;
        let answer = serde_json::to_value(answer).map_err(|error| Error::invalid("answer", error.to_string()))?;
        let used = IdempotencyRecord {
            request: once.request,
            answer,
            at: (!key.starts_with(LASTING_KEY)).then(clock::now),
        };
        self.put(record, &used)
    }

    /// Looks at the next older answers, in the order of their keys and round and round, and removes those that are over.
    fn forget_some(&mut self) -> Result<()> {
        let from: String = self.find(keys::IDEMPOTENCY_LOOKED)?.unwrap_or_default();
        let mut last = None;
        let mut looked = 0;
        for entry in self.scan_after(keys::IDEMPOTENCY, &from).take(LOOKED_AT) {
            let (key, bytes) = entry?;
            looked += 1;
            if decode::<IdempotencyRecord>(&key, &bytes)?.is_over() {
                self.remove(key.clone());
            }
            last = Some(key);
        }
        let next = last.filter(|_| looked == LOOKED_AT).unwrap_or_default();
        if next == from {
            return Ok(());
        }
        self.put(keys::IDEMPOTENCY_LOOKED.to_owned(), &next)
    }
}

fn check_key(key: &str) -> Result<()> {
    if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Error::invalid(
            "idempotency_key",
            "expected 1 to 255 visible ASCII characters",
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sled_store::SledStore;
    use crate::{Admission, HolderInfo, JobKind, Jobs as _, Maintenance as _, NewJob};

    fn job() -> NewJob {
        NewJob {
            kind: JobKind::Measure,
            hardware: "cpu".parse().unwrap(),
            parameters: Value::Null,
            creator: "ann".to_owned(),
            parent: None,
        }
    }

    #[test]
    fn answers_go_after_a_week_and_those_of_the_programs_own_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), HolderInfo::default()).unwrap();
        let create = |key: &str| store.create_job(&job(), Some(key), Admission::Part).unwrap().id;
        let first = create("first");
        assert_eq!(create("first"), first);
        let age = |key: &str, at: Option<&str>| {
            let record = keys::idempotency("jobs", key);
            let used: IdempotencyRecord = store.find(&record).unwrap().unwrap();
            let at = at.map(ToOwned::to_owned);
            store
                .write(|changes| changes.put(record, &IdempotencyRecord { at, ..used }))
                .unwrap();
        };
        let own = create("lglp:own");
        let used: IdempotencyRecord = store.find(&keys::idempotency("jobs", "lglp:own")).unwrap().unwrap();
        assert_eq!(used.at, None);
        for number in 0..30 {
            create(&format!("old-{number}"));
            age(&format!("old-{number}"), Some("2020-01-01T00:00:00Z"));
        }
        age("first", Some("2020-01-01T00:00:00Z"));
        assert_ne!(create("first"), first, "it is another request by now");
        for number in 0..12 {
            create(&format!("new-{number}"));
        }
        let left: Vec<String> = store
            .scan(keys::IDEMPOTENCY)
            .map(|entry| entry.unwrap().0)
            .filter(|key| key.contains("old-"))
            .collect();
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(create("lglp:own"), own);
        assert_eq!(create("new-3"), create("new-3"));
        assert!(store.verify(&|_, _| {}).unwrap().findings.is_empty());
    }
}
