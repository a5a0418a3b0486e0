//! How records are stored, where that is another form than the one that callers get, and how they are read back.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::storage::packing::Packed;
use crate::{Digest, Error, Result};

/// Reads a record back.
pub(super) fn decode<T: DeserializeOwned>(key: &str, record: &Packed) -> Result<T> {
    decode_json(key, &record.json(key)?)
}

/// Reads the JSON of a record, or of a blob that a record names.
pub(super) fn decode_json<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    let corrupt = |error: serde_json::Error| Error::CorruptRecord {
        key: key.to_owned(),
        reason: error.to_string(),
    };
    serde_json::from_slice(bytes).map_err(corrupt)
}

/// What the database keeps of a report.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReport {
    pub(super) digest: Digest,
    pub(super) version: u32,
    /// Whether it is about networks of no space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) of_networks: bool,
    pub(super) created_at: String,
}

/// What the database keeps of a version.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredVersion {
    pub(super) digest: Digest,
    pub(super) created_at: String,
}

/// What a key was used for.
#[derive(Serialize, Deserialize)]
pub(super) struct IdempotencyRecord {
    /// Digest of the request's canonical JSON. It had another name while only versions were created by keys.
    #[serde(alias = "digest")]
    pub(super) request: Digest,
    #[serde(alias = "version")]
    pub(super) answer: Value,
    /// When it was given; none where it is kept for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
}
