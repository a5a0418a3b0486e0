//! A lease on a job, as the threads share it that work on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lglp_client::EventCount;
use lglp_openapi::jobs::Progress;
use lglp_openapi::workers::Work;
use lglp_registry::ONNX;

use super::error::WorkerError;
use super::spool::Series;

/// A lease that is said to be shorter is taken for this, seconds: heartbeats are a third of it apart.
const SHORTEST_S: u64 = 3;

/// A leased job.
pub(crate) struct Lease {
    pub job: u64,
    pub fencing: u64,
    /// What its measurements have in common.
    pub series: Series,
    /// How long it holds without a heartbeat.
    pub holds: Duration,
    state: Mutex<State>,
    events: Arc<EventCount>,
}

/// Why work on a job stops before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LeaseEnd {
    /// It is somebody else's, or nobody's: nothing may be told of it any more.
    Stale,
    /// Somebody wants it to end.
    Cancelled,
    /// The server does not take what was measured; the text says why.
    Refused(String),
}

#[derive(Default)]
struct State {
    stop: Option<LeaseEnd>,
    progress: Option<Progress>,
    closed: bool,
}

impl Lease {
    /// A lease of a job for a hardware target that was created at a time.
    ///
    /// # Errors
    /// `Incompatible` where the server's answer lacks a lease.
    pub(crate) fn of(work: &Work, target_since: &str, events: Arc<EventCount>) -> Result<Self, WorkerError> {
        let unclear = |reason: String| WorkerError::Incompatible { what: "lease", reason };
        let job = &work.job;
        let lease = job.lease.as_ref();
        let lease = lease.ok_or_else(|| unclear(format!("job {} has none", job.id)))?;
        let fencing = lease.fencing;
        let fencing = fencing.ok_or_else(|| unclear(format!("that of job {} has no fencing token", job.id)))?;
        let space = work.space.get("name").and_then(serde_json::Value::as_str);
        Ok(Self {
            job: job.id,
            fencing,
            series: Series {
                hardware: job.hardware.clone(),
                space: space.unwrap_or(ONNX).to_owned(),
                replicate: work.replicate,
                target_since: target_since.to_owned(),
            },
            holds: Duration::from_secs(u64::from(lease.seconds).max(SHORTEST_S)),
            state: Mutex::default(),
            events,
        })
    }

    /// Has the work stop; the first reason stays, but for a lease that is over, which forbids everything else.
    pub(crate) fn stop(&self, why: LeaseEnd) {
        let mut state = self.state();
        if state.stop.is_none() || why == LeaseEnd::Stale {
            state.stop = Some(why);
        }
        drop(state);
        self.events.notify();
    }

    /// Why the work is to stop, if it is.
    pub(crate) fn stopped(&self) -> Option<LeaseEnd> {
        self.state().stop.clone()
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.state().stop == Some(LeaseEnd::Stale)
    }

    /// Ends the threads that keep it.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.events.notify();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// How far the work is, as heartbeats tell it.
    pub(crate) fn set_progress(&self, done: usize, of: usize, note: String) {
        let (done, of) = (done as u64, of as u64);
        self.state().progress = Some(Progress { done, of, note });
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        self.state().progress.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
