//! A worker: measuring on this machine for a server elsewhere.
//!
//! `session.rs` registers and leases; `job.rs` and `shift.rs` work through a job, while `heartbeat.rs` keeps its lease and
//! `courier.rs` hands over what is finished. What is finished is in the spool (`spool.rs`) from the moment it exists until the
//! server says that it is durable there; whatever dies in between, process, server or network, it goes with the next lease.

mod calibration;
pub mod command;
mod courier;
mod device;
pub mod doctor;
mod drain;
mod error;
mod event;
mod heartbeat;
mod identity;
mod job;
mod lease;
mod link;
mod session;
mod shift;
mod spool;

use std::path::Path;
use std::sync::Arc;

use lglp_registry::HardwareName;

pub use error::WorkerError;
pub use event::Event;
pub use identity::{default_name, default_state};
pub use link::Tell;

use lglp_client::Bell;
use lglp_client::{Http, WorkerApi};
use lglp_engine::host::PluginHost;
use lglp_engine::measure::Setup;

/// What a worker is told at its start.
pub struct Options<'a> {
    pub http: &'a Http,
    pub host: &'a PluginHost,
    /// The worker's name.
    pub name: &'a str,
    /// The target that it measures for.
    pub hardware: HardwareName,
    /// How the target is to measure where there is none of that name.
    pub setup: Option<Setup>,
    /// Where it keeps what is finished.
    pub state: &'a Path,
    /// Whether to end where there is no work.
    pub once: bool,
    /// Who hears what happens.
    pub tell: Tell,
}

/// Works until a signal says to end, or until there is no work where that was asked for.
///
/// # Errors
/// What it cannot go on with.
pub fn run(options: Options<'_>) -> Result<(), WorkerError> {
    let bell = Arc::new(Bell::default());
    let tell = options.tell.clone();
    let drain = drain::Drain::at_signals(bell.clone(), move || tell(&Event::Draining));
    let drain = drain.map_err(WorkerError::Signals)?;
    let spool = Arc::new(spool::Spool::open(options.state, bell.clone())?);
    let api = WorkerApi::new(options.http, options.name, &identity::instance());
    let link = Arc::new(link::Link::new(api, drain, bell, options.tell));
    let session = session::Session {
        host: options.host,
        hardware: options.hardware,
        setup: options.setup,
        once: options.once,
        link,
        spool,
        server: options.http.base().to_owned(),
    };
    session.run()
}
