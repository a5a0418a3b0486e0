//! The REST API: the only place that knows HTTP on the server's side. One file per resource.

mod aliases;
mod audit;
mod blobs;
mod caller;
mod datasets;
mod document;
mod exclusions;
mod extract;
mod hardware;
mod health;
mod measurements;
mod metrics;
mod models;
mod plugins;
mod preconditions;
mod predict;
mod problem;
mod savings;
mod server;
mod spaces;
mod traffic;

pub use document::document;
pub use predict::predict_here;
pub use server::{ServeOptions, serve};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use lglp_registry::Store;
use tokio::sync::Semaphore;

use crate::plugins::PluginHost;
use crate::serving::{Serving, Usage};
use crate::spaces::Spaces;

/// What handlers share.
pub struct State {
    pub store: Arc<dyn Store>,
    pub host: Arc<PluginHost>,
    pub spaces: Arc<Spaces>,
    pub serving: Arc<Serving>,
    pub usage: Arc<Usage>,
    pub metrics: metrics::Metrics,
    /// Predictions that may wait or run at once; beyond it, requests are turned away.
    pub queue: Arc<Semaphore>,
    /// Predictions that may run at once: one per core, since each keeps one busy.
    pub running: Arc<Semaphore>,
    /// Set once loading production models has ended: why some could not be loaded, by hardware target.
    pub loaded: OnceLock<BTreeMap<String, String>>,
}
