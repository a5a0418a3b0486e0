//! The queue of jobs: who puts them in, who cancels them, who hears of them, and who is told that there may be work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use lglp_registry::{
    Admission, Error, HardwareName, Job, JobFilter, JobState, LeaseHolder, NewJob, Result, Role, Store, Worker,
};
use tokio::sync::Notify;

use super::feed::{Feed, Listener};
use super::measurer::Measurer;
use super::{Services, check};

/// Between two looks for work where nobody said that there is some, and after a failure.
const LOOK: Duration = Duration::from_secs(30);

/// The jobs of a server, as those who put them in and those who work on them share them.
pub struct Queue {
    services: Services,
    /// Jobs that may wait.
    limit: usize,
    feed: Arc<Feed>,
    stopping: AtomicBool,
    /// Counts what may mean work: who looked before it moved looks again.
    news: Mutex<u64>,
    came: Condvar,
    /// The same, for those who wait without a thread.
    heard: Notify,
}

impl Queue {
    /// A queue where `limit` jobs may wait.
    pub(super) fn new(services: Services, limit: usize) -> Self {
        Self {
            services,
            limit,
            feed: Arc::new(Feed::new()),
            stopping: AtomicBool::new(false),
            news: Mutex::new(0),
            came: Condvar::new(),
            heard: Notify::new(),
        }
    }

    pub(super) fn services(&self) -> &Services {
        &self.services
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.services.store
    }

    /// Checks a job and puts it into the queue. But for an admin, who may have all of the places, a creator has its share.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for the hardware target; `QueueFull`; `ShareTaken`; `Conflict` where the key was
    /// used for another job.
    pub fn submit(&self, new: NewJob, idempotency_key: Option<&str>, role: Role) -> Result<Job> {
        let new = check(new, &self.services)?;
        let places = self.limit;
        let admission = match role {
            Role::Admin => Admission::Any { places },
            _ => Admission::Fair { places },
        };
        let job = self.store().create_job(&new, idempotency_key, admission)?;
        self.notify();
        Ok(job)
    }

    /// Cancels a job; a running one ends between two steps.
    ///
    /// # Errors
    /// `NotFound`; `JobEnded`.
    pub fn cancel(&self, id: u64, actor: &str) -> Result<Job> {
        let job = self.store().cancel_job(id, actor)?;
        if job.state.has_ended() {
            self.feed.publish(&job);
        }
        self.cancel_parts(&job, actor)?;
        Ok(job)
    }

    /// Cancels the jobs that were to do something for one that has ended, or is to.
    pub(super) fn cancel_parts(&self, job: &Job, actor: &str) -> Result<()> {
        for part in self.parts(job)? {
            match self.cancel(part.id, actor) {
                // It ended by itself meanwhile.
                Ok(_) | Err(Error::JobEnded { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The jobs of a hardware target that are in a state, newest first.
    pub(super) fn jobs_of(&self, hardware: &HardwareName, state: JobState) -> Result<Vec<Job>> {
        let filter = JobFilter {
            hardware: Some(hardware.clone()),
            state: Some(state),
        };
        self.store().jobs(&filter, usize::MAX)
    }

    /// The jobs that do a part of this one and have not ended.
    pub(super) fn parts(&self, job: &Job) -> Result<Vec<Job>> {
        let mut open = Vec::new();
        for state in [JobState::Queued, JobState::Running] {
            open.extend(self.jobs_of(&job.hardware, state)?);
        }
        open.retain(|part| part.parent == Some(job.id));
        Ok(open)
    }

    /// What a job that is queued waits for, beside its turn: workers of its target, where none is there.
    ///
    /// # Errors
    /// The common ones.
    pub fn waits_for(&self, job: &Job) -> Result<Option<String>> {
        let store = self.store();
        if job.state != JobState::Queued
            || !job.kind.is_measuring()
            || Measurer::of(store, self.services.host.machine(), &job.hardware)? == Measurer::Here
        {
            return Ok(None);
        }
        let is_there =
            |worker: &Worker| worker.hardware == job.hardware && !worker.signed_off && worker.difference.is_none();
        let nobody = !store.workers()?.iter().any(is_there);
        Ok(nobody.then(|| format!("a worker of {}: workers measure it, and none is there", job.hardware)))
    }

    /// Listens to a job.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn listen(&self, id: u64) -> Result<Listener> {
        self.feed.listen(self.store(), id)
    }

    /// Who hears what happens.
    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Queues again what a process that went away was working on: `gone`, and whoever let a lease run out.
    pub(super) fn requeue(&self, gone: Option<&LeaseHolder>) {
        let requeued = self.store().requeue_jobs(gone).unwrap_or_else(|error| {
            tracing::error!("cannot look for jobs that were left behind: {error}");
            Vec::new()
        });
        for job in requeued {
            tracing::warn!(job = job.id, "was left behind unfinished, and is {} now", job.state);
            self.feed.publish(&job);
            self.notify();
        }
    }

    /// Whether the server stops: nobody should wait for work any more.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// What the work itself looks at, to end between two steps.
    pub(super) fn stopping(&self) -> &AtomicBool {
        &self.stopping
    }

    /// Has whoever works end between two steps, and sends listeners away.
    pub(super) fn close(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.notify();
        self.feed.close();
    }

    /// Says that there may be work.
    pub(super) fn notify(&self) {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.came.notify_all();
        self.heard.notify_waiters();
    }

    /// How often there was news, to wait for more.
    pub(super) fn news(&self) -> u64 {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, on a thread, for news beyond those `seen`, or for a while.
    pub(super) fn wait_beyond(&self, seen: u64) {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let _woken = self.came.wait_timeout_while(news, LOOK, |news| *news == seen);
    }

    /// Waits until there may be work, or for a while.
    pub async fn wait(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.heard.notified()).await;
    }
}
