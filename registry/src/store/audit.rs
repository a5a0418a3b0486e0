//! The audit log and the events.

use crate::{AuditEntry, AuditHead, AuditQuery, Event, Result};

/// What was changed, when, by whom and why.
pub trait Audit: Send + Sync {
    /// At most `limit` audit entries from sequence `from` on; fewer, but at least one, where they are large.
    ///
    /// # Errors
    /// The common ones.
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>>;

    /// Reads the whole audit log, checks its chain and that the records are what it tells, and returns its end.
    ///
    /// # Errors
    /// `AuditBroken` naming the first entry that does not fit; `RecordDiffers` naming the first such record;
    /// `WritesStopped`, since half a change may be in memory then.
    fn verify_audit(&self) -> Result<AuditHead>;

    /// At most `limit` events from sequence `from` on; fewer, but at least one, where they are large.
    ///
    /// # Errors
    /// The common ones.
    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>>;

    /// The audit entries that a query asks for, oldest first; fewer, but at least one, where they are large.
    ///
    /// # Errors
    /// The common ones.
    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;
}
