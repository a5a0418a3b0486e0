//! The REST API: the only place that knows HTTP on the server's side. One file per resource.

mod access;
mod aliases;
mod answer;
mod audit;
mod blobs;
mod blocking;
mod bodies;
mod body;
mod budget;
mod bundles;
mod caller;
mod closing;
mod compression;
mod connections;
mod datasets;
mod document;
mod exclusions;
mod explain;
mod extract;
mod gates;
mod hardware;
mod head;
mod health;
mod heavy;
mod imports;
mod integers;
mod interventions;
mod jobs;
mod leases;
mod lineage;
mod listing;
mod measurements;
mod method_label;
mod metrics;
mod models;
mod pace;
mod pages;
mod parameters;
mod places;
mod plugins;
mod preconditions;
mod predict;
mod problem;
mod registry;
mod request_id;
mod root;
mod routes;
mod savings;
mod secured;
mod server;
mod spaces;
mod statuses;
mod stream;
mod subscriber;
mod tokens;
mod traffic;
mod unrouted;
mod validations;
mod webhooks;
mod words;
mod workers;

pub use access::Access;
pub use bundles::too_large_for_http;
pub use connections::Limits;
pub use document::document;
pub(crate) use explain::explain_here;
pub use extract::BODY_LIMIT;
pub(crate) use predict::{predict_here, predict_networks_here};
pub(crate) use problem::ApiError;
pub use server::{ServeOptions, serve};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use lglp_engine::host::PluginHost;
use lglp_engine::spaces::Spaces;
use lglp_registry::Store;

use crate::compute::Desk;
use crate::jobs::Jobs;
use crate::serving::{Serving, Usage};
use crate::webhooks::Targets;

/// What handlers share.
pub struct State {
    /// The registry.
    pub store: Arc<dyn Store>,
    /// The plugins.
    pub host: Arc<PluginHost>,
    /// The search spaces that there are here.
    pub spaces: Arc<Spaces>,
    /// Loaded models, and which of them answers what.
    pub serving: Arc<Serving>,
    /// Decides who may do what.
    pub access: Access,
    /// Predictions served that the registry does not count yet.
    pub usage: Arc<Usage>,
    /// Jobs, and the threads of this server that do them.
    pub jobs: Arc<Jobs>,
    /// Who listens to jobs.
    pub listening: places::Places,
    /// What is counted for Prometheus.
    pub metrics: metrics::Metrics,
    /// Of registrations of workers.
    pub registrations: pace::Pace,
    /// Where webhooks may send to.
    pub targets: Arc<Targets>,
    /// Where requests ask for their turn to compute.
    pub desk: Desk,
    /// What bodies may take.
    pub memory: budget::Budget,
    /// What measurements may take that are imported in parts.
    pub imports: budget::Budget,
    /// What answers may take that wait for their readers.
    pub answers: budget::Budget,
    /// Where reads that take long ask for their turn.
    pub heavy: heavy::HeavyReads,
    /// Set once loading production models has ended: why some could not be loaded, by hardware target.
    pub loaded: OnceLock<BTreeMap<String, String>>,
}
