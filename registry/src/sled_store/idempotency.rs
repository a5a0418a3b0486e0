//! Idempotency keys: a repeated request gets the answer of the first.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::changes::Changes;
use super::keys;
use crate::{Digest, Error, Result, canonical_json};

/// A request that shall have its effect once, as far as its caller named it by a key.
pub(super) struct Once {
    /// The record's key, and the caller's.
    key: Option<(String, String)>,
    request: Digest,
}

/// What a key was used for.
#[derive(Serialize, Deserialize)]
pub(super) struct Use {
    /// Digest of the request's canonical JSON. It had another name while only versions were created by keys.
    #[serde(alias = "digest")]
    request: Digest,
    #[serde(alias = "version")]
    answer: Value,
}

impl Once {
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
    pub(super) fn answered<T: DeserializeOwned>(&self, once: &Once) -> Result<Option<T>> {
        let Some((record, key)) = &once.key else {
            return Ok(None);
        };
        let Some(before) = self.find::<Use>(record)? else {
            return Ok(None);
        };
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
    pub(super) fn answer<T: Serialize>(&mut self, once: Once, answer: &T) -> Result<()> {
        let Some((record, _)) = once.key else { return Ok(()) };
        let answer = serde_json::to_value(answer).map_err(|error| Error::invalid("answer", error.to_string()))?;
        let request = once.request;
        self.put(record, &Use { request, answer })
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
