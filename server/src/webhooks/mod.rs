//! Webhooks: events posted to those who asked for them, signed, in order, at least once.
//!
//! The event log is the outbox: an event is recorded in the same transaction as the change that it tells of, and each webhook
//! has a cursor into the log, moved after an event was taken. Each has a thread of its own, so that a slow or dead target
//! delays nobody else; `dispatcher.rs` starts them. Killed between a delivery and the move of its cursor, a server delivers
//! that event again: receivers know it by its number.

mod attempt;
mod dispatcher;
mod ping;
mod shared;
mod signature;
mod status;
mod target;
mod worker;

pub use attempt::Attempt;
pub(crate) use attempt::DELIVERY_HEADER;
pub use attempt::Outcome;
pub(crate) use dispatcher::Dispatcher;
pub use ping::ping;
pub(crate) use shared::Observer;
pub use status::{delivery_status, delivery_statuses};
pub use target::{Allowed, TargetError, Targets};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time as the registry writes it.
fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339)
        .expect("times around the present have an RFC 3339 form")
}
