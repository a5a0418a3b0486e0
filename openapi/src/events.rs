//! What changed: `/v1/events`, `/v1/audit`, and what webhooks are sent.

pub use lglp_registry::{AuditEntry, AuditHead, Change, Event};
