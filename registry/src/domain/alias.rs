//! Aliases: movable names for versions.

use serde::{Deserialize, Serialize};

use super::limits;
use crate::{AliasName, Error, Expected, Result, Verdict};

/// How many earlier versions an alias remembers; the audit log knows all of them.
pub(crate) const ALIAS_MEMORY: usize = 32;

/// Aliases of a hardware target at most: a server keeps loaded what each of them points at.
pub(crate) const ALIASES_LIMIT: usize = 64;

/// A movable name for a version. Its generation is also its `ETag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alias {
    /// Its name within the hardware target; `production` answers requests that name no model.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "production"))]
    pub name: AliasName,
    /// The version it points at.
    pub version: u32,
    // The last `ALIAS_MEMORY` of them.
    /// The versions it pointed at before, oldest first: what rolling back goes back through.
    #[serde(default)]
    pub previous: Vec<u32>,
    /// Raised by every move; 0 would be an alias that does not exist yet.
    pub generation: u64,
    /// When it moved last; RFC 3339, UTC.
    pub moved_at: String,
    /// Who moved it last.
    pub moved_by: String,
}

/// A request to move an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: AliasName,
    /// The version it shall point at.
    pub version: u32,
    /// The generation the caller has seen; 0 where the alias must not exist yet.
    pub expected_generation: Expected,
    /// Who moves it.
    pub actor: String,
    /// Why, for the audit log.
    pub reason: String,
    /// Moves `production` although its gate refuses. Needs a reason.
    #[serde(default)]
    pub force: bool,
    /// A repetition with the same key gets the first answer.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// A request to move an alias back to the version it pointed at before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// The alias.
    pub alias: AliasName,
    /// The generation the caller has seen, where it matters to them.
    pub expected_generation: Option<Expected>,
    /// Who moves it.
    pub actor: String,
    /// Why, for the audit log.
    pub reason: String,
    /// A repetition with the same key gets the first answer.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// What a move of an alias would do now: the answer to `dry_run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Forecast {
    /// Whether the alias would move.
    pub moves: bool,
    /// The version it points at now; null where it does not exist.
    pub from: Option<u32>,
    /// The version it would point at.
    pub to: u32,
    /// The generation it has now; 0 where it does not exist.
    pub generation: u64,
    /// What the gate says; null where there is none.
    pub verdict: Option<Verdict>,
    /// Whether a gate that refuses would be overruled.
    pub forced: bool,
}

impl AliasMove {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("actor", &self.actor)?;
        limits::short("reason", &self.reason)?;
        if self.force && self.reason.trim().is_empty() {
            return Err(Error::invalid("reason", "forcing a move needs a reason"));
        }
        Ok(())
    }
}
