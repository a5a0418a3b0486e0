//! Interventions: what takes back for good what was recorded.

use serde::{Deserialize, Serialize};

use super::limits;
use crate::Result;

/// Who takes something back, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// Who does it, for the audit log.
    pub actor: String,
    /// Why, for the audit log.
    pub reason: String,
    /// Whether also where the target is in use.
    #[serde(default)]
    pub force: bool,
}

impl Intervention {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub(crate) fn check(&self) -> Result<()> {
        limits::text("actor", &self.actor)?;
        limits::text("reason", &self.reason)
    }
}
