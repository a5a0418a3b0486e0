//! The REST server: predictions, what is served, jobs, traffic, webhooks.
//!
//! ARCHITECTURE.md is the map.

pub mod allocator;
pub mod api;
pub mod bundles;
mod compute;
pub mod explain;
pub mod idempotency;
pub mod jobs;
pub mod lineage;
pub mod log;
pub mod operations;
pub mod savings;
pub mod secret;
pub mod serving;
pub mod webhooks;
pub mod workers;
