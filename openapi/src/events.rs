//! What changed: `/v1/events`, `/v1/audit`, and what webhooks are sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A change, for whoever waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// What happened.
    pub change: Change,
}

/// What happened. Further fields depend on the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// `alias_moved`, `version_created`, `measurements_recorded`, ...
    #[schema(example = "alias_moved", pattern = "^[a-z_]+$")]
    pub kind: String,
    /// The hardware target that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "xeon-1t")]
    pub hardware: Option<String>,
    /// The further fields of the kind, such as `alias` and `version` of `alias_moved`.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place: 1, 2, ...
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who did it.
    pub actor: String,
    /// Why; null where no reason was given.
    pub reason: Option<String>,
    /// What happened.
    pub change: Change,
    /// The record as it was before; left out where there was none, or it is for admins alone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The record as it is since, or what identifies it; left out where there is none, or it is for admins alone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// The hash of the entry before; zeros for the first.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub previous: String,
    /// SHA-256 of the canonical JSON of this entry without this field.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub hash: String,
}

/// The end of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    pub hash: String,
}
