//! A worker: measuring on this machine for a server elsewhere.
//!
//! `session.rs` registers and leases; `job.rs` works through a job, `leased_work.rs` gives the
//! engine's loop what is to be measured and keeps what comes out, while `heartbeat.rs` keeps its lease and
//! `uploader.rs` hands over what is finished. What is finished is in the spool (`spool.rs`) from the moment it exists until the
//! server says that it is durable there; whatever dies in between, process, server or network, it goes with the next lease.

mod batch;
mod calibration;
pub mod command;
mod connection;
mod device;
mod doctor;
mod drain;
mod error;
mod event;
mod heartbeat;
mod identity;
mod job;
mod lease;
mod leased_work;
mod session;
mod spool;
mod uploader;

use std::path::Path;
use std::sync::Arc;

use lglp_client::{EventCount, Http, WorkerApi};
use lglp_engine::host::PluginHost;
use lglp_engine::measure::Setup;
use lglp_registry::HardwareName;

use self::connection::EventSink;
use self::error::WorkerError;
use self::event::Event;

/// What a worker is told at its start.
struct Options<'a> {
    http: &'a Http,
    host: &'a PluginHost,
    /// The worker's name.
    name: &'a str,
    /// The target that it measures for.
    hardware: HardwareName,
    /// How the target is to measure where there is none of that name.
    setup: Option<Setup>,
    /// Where it keeps what is finished.
    state: &'a Path,
    /// Whether to end where there is no work.
    once: bool,
    /// Who hears what happens.
    report: EventSink,
}

/// Works until a signal says to end, or until there is no work where that was asked for.
///
/// # Errors
/// What it cannot go on with.
fn run(options: Options<'_>) -> Result<(), WorkerError> {
    let events = Arc::new(EventCount::default());
    let report = options.report.clone();
    let drain = drain::Drain::at_signals(events.clone(), move || report(&Event::Draining));
    let drain = drain.map_err(WorkerError::Signals)?;
    let spool = Arc::new(spool::Spool::open(options.state, events.clone())?);
    let api = WorkerApi::new(options.http, options.name, &identity::instance());
    let connection = Arc::new(connection::ServerConnection::new(api, drain, events, options.report));
    let session = session::Session {
        host: options.host,
        hardware: options.hardware,
        setup: options.setup,
        once: options.once,
        connection,
        spool,
        server: options.http.base().to_owned(),
    };
    session.run()
}
