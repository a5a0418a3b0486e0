//! Threads that compute for requests: predictions, loading, shadows.
//!
//! A [`Crew`] is a fixed number of threads. Work comes to it in units of some milliseconds, so that what is small passes
//! between the units of what is large, and what takes long is waited for by whoever asked for it (`queue.rs`), and what nobody waits for any more ends with the unit that it is in
//! (`turn.rs`). A unit that a plugin does not come back from is answered without it, and its thread replaced
//! (`watchdog.rs`).

mod asked;
mod crew;
mod members;
mod queue;
mod turn;
mod unit;
mod watchdog;

pub(crate) use crew::Crew;
pub(crate) use queue::{Account, Place};
pub(crate) use turn::{Desk, Full, Turn, parts};
pub(crate) use unit::{Lost, Unit};
