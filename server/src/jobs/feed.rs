//! Who listens to jobs: each listener sees the latest snapshot, a slow one fewer of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lglp_registry::{Job, JobKind, JobState, Result, Store};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::watch;

/// Labels of jobs in metrics.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct JobLabels {
    pub kind: &'static str,
    pub state: &'static str,
}

impl JobLabels {
    pub(crate) fn new(kind: JobKind, state: JobState) -> Self {
        Self {
            kind: kind.as_str(),
            state: state.as_str(),
        }
    }
}

type Snapshots = HashMap<u64, watch::Sender<Option<Job>>>;

/// Snapshots of jobs on their way to listeners.
pub(crate) struct Feed {
    /// One entry for each job that has listeners; `None` once the server stops.
    heard: Mutex<Option<Snapshots>>,
    /// Jobs that ended since the server started.
    pub ended: Family<JobLabels, Counter>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            heard: Mutex::new(Some(HashMap::new())),
            ended: Family::default(),
        }
    }

    /// Shows a snapshot to the job's listeners. The snapshot that ends it comes once.
    pub(crate) fn publish(&self, job: &Job) {
        let has_ended = job.state.has_ended();
        if has_ended {
            self.ended.get_or_create(&JobLabels::new(job.kind, job.state)).inc();
        }
        let mut heard = self.heard();
        let Some(snapshots) = heard.as_mut() else { return };
        if let Some(sender) = snapshots.get(&job.id) {
            sender.send_replace(Some(job.clone()));
            if has_ended {
                snapshots.remove(&job.id);
            }
        }
    }

    /// Listens to a job.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn listen(self: &Arc<Self>, store: &dyn Store, id: u64) -> Result<Listener> {
        let snapshots = self.heard().as_mut().map(|snapshots| {
            let sender = snapshots.entry(id).or_insert_with(|| watch::Sender::new(None));
            sender.subscribe()
        });
        let mut listener = Listener {
            feed: self.clone(),
            id,
            first: None,
            snapshots,
        };
        // Read after the entry was made: an end that comes from now on is heard.
        listener.first = Some(store.job(id)?);
        Ok(listener)
    }

    /// Sends every listener away.
    pub(crate) fn close(&self) {
        *self.heard() = None;
    }

    fn heard(&self) -> MutexGuard<'_, Option<Snapshots>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who listens to a job. Dropped, it leaves nothing behind.
pub struct Listener {
    feed: Arc<Feed>,
    id: u64,
    /// The job as it was when the listener came.
    first: Option<Job>,
    snapshots: Option<watch::Receiver<Option<Job>>>,
}

impl Listener {
    /// The next snapshot; none after the one that ended the job, and none once the server stops. Nothing is lost where the
    /// future is dropped.
    pub async fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.first.take() {
            if job.state.has_ended() {
                self.leave();
            }
            return Some(job);
        }
        let snapshots = self.snapshots.as_mut()?;
        let changed = snapshots.changed().await;
        let job = changed.ok().and_then(|()| snapshots.borrow_and_update().clone());
        if job.as_ref().is_none_or(|job| job.state.has_ended()) {
            self.leave();
        }
        job
    }

    fn leave(&mut self) {
        let mut heard = self.feed.heard();
        self.snapshots = None;
        if let Some(snapshots) = heard.as_mut()
            && snapshots
                .get(&self.id)
                .is_some_and(|sender| sender.receiver_count() == 0)
        {
            snapshots.remove(&self.id);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.leave();
    }
}
