//! Jobs: training, measuring and searching that the server does in the background.
//!
//! A job is a record of the registry, which says how it got there and how it ended ([`lglp_registry::Job`]). Here is what
//! each kind does (`task.rs`, and one file a kind; `networks.rs`, where it is networks of no space), where it waits (`queue.rs`),
//! who does it (`executor.rs`: threads of the server;
//! `leasing.rs`: workers on other machines, of what is left of a job, `left.rs`), what the work tells meanwhile (`run.rs`),
//! and who hears it (`feed.rs`).

mod by_workers;
mod error;
mod executor;
mod feed;
mod labels;
mod leasing;
mod left;
mod measure;
mod measurer;
mod networks;
mod onboard;
mod plans;
mod queue;
mod run;
mod search;
mod task;
mod train;
mod validate;

pub use error::JobError;
pub use executor::Executor;
pub(crate) use feed::JobLabels;
pub use feed::Listener;
pub use leasing::Leasing;
pub(crate) use leasing::{IN_HAND, WORKER_LEASE_S};
pub use plans::Plans;
pub use queue::Queue;
pub use run::Run;
pub use task::{Work, check};
pub use train::{quantity, wanted};
pub use validate::{judges, selection};

use std::path::PathBuf;
use std::sync::Arc;

use lglp_engine::host::PluginHost;
use lglp_engine::spaces::Spaces;
use lglp_registry::Store;

use crate::serving::Serving;

/// Jobs that may wait, unless told otherwise.
pub const QUEUE_LIMIT: usize = 64;

/// What the work of jobs needs.
pub struct Services {
    /// The registry: jobs, measurements, versions.
    pub store: Arc<dyn Store>,
    /// The plugins.
    pub host: Arc<PluginHost>,
    /// The search spaces that there are here.
    pub spaces: Arc<Spaces>,
    /// Loaded models, for what a job asks of versions.
    pub serving: Arc<Serving>,
    /// Folder of the recipes.
    pub recipes: PathBuf,
    /// What measuring jobs measure.
    pub plans: Plans,
}

/// The jobs of a server.
pub struct Jobs {
    /// Where they wait.
    pub queue: Arc<Queue>,
    /// What workers take of it.
    pub leasing: Leasing,
    /// What this server does of it.
    pub executor: Executor,
}

impl Jobs {
    /// Takes up what a server that went away left behind, and starts working; `limit` jobs may wait.
    ///
    /// # Panics
    /// Where the system has no more threads.
    pub fn start(services: Services, limit: usize) -> Self {
        let queue = Arc::new(Queue::new(services, limit));
        Self {
            leasing: Leasing::new(queue.clone()),
            executor: Executor::start(&queue),
            queue,
        }
    }
}
