//! lglp: predicts how long a neural network takes on a device. ARCHITECTURE.md is the map.

pub mod api;
pub mod backoff;
pub mod bell;
pub mod bundles;
pub mod clean;
pub mod cli;
pub mod client;
pub mod datasets;
pub mod idempotency;
pub mod jobs;
pub mod lineage;
pub mod measure;
pub mod networks;
pub mod plots;
pub mod plugins;
pub mod predictor;
pub mod reproduce;
pub mod savings;
pub mod secret;
pub mod serving;
pub mod spaces;
pub mod tls;
pub mod train;
pub mod validate;
pub mod webhooks;
pub mod worker;
