//! Who works on jobs: a thread that measures and a thread that trains.
//!
//! Two trainings at once would be slower than one after the other; two measurements at once would spoil each other. The
//! registry's leases keep that promise also for machines beside this one.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lglp_registry::{Error, Job, JobKind, JobOutcome, LeaseRequest, NewJob, Result};

use super::feed::{Feed, Listener};
use super::run::Run;
use super::{JobError, Tools, check, kind};

/// Under what name the server holds leases. One process has the registry open, so that whatever is leased to this name when
/// it starts was left behind by one that is gone.
const HOLDER: &str = "server";

/// The machine that the server measures on, its own.
const DEVICE: &str = "server";

/// How long a lease holds without a heartbeat, seconds.
const LEASE_S: u32 = 60;

/// Between two looks for work where nobody said that there is some, and after a failure.
const LOOK: Duration = Duration::from_secs(30);

/// What each thread does.
const LANES: [(&str, &[JobKind]); 2] = [
    ("measuring", &[JobKind::Measure, JobKind::Validate]),
    ("training", &[JobKind::Train]),
];

/// The jobs of a server.
pub struct Jobs {
    shared: Arc<Shared>,
    /// Jobs that may wait.
    limit: usize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads share.
struct Shared {
    tools: Tools,
    feed: Arc<Feed>,
    stopping: AtomicBool,
    /// Counts what may mean work: who looked before it moved looks again.
    news: Mutex<u64>,
    came: Condvar,
}

impl Jobs {
    /// Takes up what a server that went away left behind, and starts working.
    ///
    /// # Panics
    /// Where the system has no more threads.
    pub fn start(tools: Tools, limit: usize) -> Self {
        let shared = Arc::new(Shared {
            tools,
            feed: Arc::new(Feed::new()),
            stopping: AtomicBool::new(false),
            news: Mutex::new(0),
            came: Condvar::new(),
        });
        shared.requeue(Some(HOLDER));
        let threads = LANES.map(|(name, kinds)| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(name.to_owned());
            let thread = thread.spawn(move || shared.work(kinds));
            thread.expect("the system has threads")
        });
        Self {
            shared,
            limit,
            threads: Mutex::new(threads.into()),
        }
    }

    /// Checks a job and puts it into the queue.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for the hardware target; `QueueFull`; `Conflict` where the key was used for
    /// another job.
    pub fn submit(&self, new: NewJob, idempotency_key: Option<&str>) -> Result<Job> {
        let new = check(new, &self.shared.tools)?;
        let job = self.shared.tools.store.create_job(&new, idempotency_key, self.limit)?;
        self.shared.tell();
        Ok(job)
    }

    /// Cancels a job; a running one ends between two steps.
    ///
    /// # Errors
    /// `NotFound`; `JobEnded`.
    pub fn cancel(&self, id: u64, actor: &str) -> Result<Job> {
        let job = self.shared.tools.store.cancel_job(id, actor)?;
        if job.state.has_ended() {
            self.shared.feed.publish(&job);
        }
        Ok(job)
    }

    /// Listens to a job.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn listen(&self, id: u64) -> Result<Listener> {
        self.shared.feed.listen(&*self.shared.tools.store, id)
    }

    /// Who hears what happens.
    pub fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    /// Tells the threads to end between two steps of their work, and sends listeners away.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.tell();
        self.shared.feed.close();
    }

    /// Stops, and waits until the jobs that were running are queued again.
    pub fn join(&self) {
        self.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that works on jobs had panicked");
            }
        }
    }
}

impl Shared {
    /// Works on one job after the other until the server stops.
    fn work(&self, kinds: &[JobKind]) {
        let request = LeaseRequest {
            holder: HOLDER.to_owned(),
            device: DEVICE.to_owned(),
            kinds: kinds.iter().copied().collect(),
            hardware: None,
            seconds: LEASE_S,
        };
        while !self.stopping.load(Ordering::Relaxed) {
            let seen = *self.news.lock().unwrap_or_else(PoisonError::into_inner);
            match self.tools.store.lease_job(&request) {
                Ok(Some(job)) => self.work_on(job),
                Ok(None) => {
                    self.requeue(None);
                    self.wait(seen);
                }
                Err(error) => {
                    tracing::error!("cannot look for jobs: {error}");
                    self.wait(seen);
                }
            }
        }
    }

    fn work_on(&self, job: Job) {
        let (id, fencing) = (job.id, job.attempts);
        tracing::info!(job = id, kind = %job.kind, hardware = %job.hardware, "begins");
        let run = Run::new(&*self.tools.store, &self.feed, &self.stopping, job.clone());
        let result = std::thread::scope(|scope| {
            scope.spawn(|| run.keep_alive());
            let work = || (kind(job.kind)?.run)(&job, &self.tools, &run);
            let result = catch_unwind(AssertUnwindSafe(work));
            run.end();
            result.unwrap_or_else(|panic| Err(JobError::Panicked(message(&*panic))))
        });
        let store = &*self.tools.store;
        let ended = match result {
            Ok(result) => store.finish_job(id, fencing, &JobOutcome::Succeeded(result)),
            Err(JobError::Stopped) => store.release_job(id, fencing),
            Err(error) => store.finish_job(id, fencing, &JobOutcome::Failed(error.to_string())),
        };
        match ended {
            Ok(job) => {
                let error = job.error.as_deref().unwrap_or_default();
                tracing::info!(job = id, error, "{}", job.state);
                self.feed.publish(&job);
            }
            Err(Error::StaleLease { .. }) => tracing::warn!(job = id, "is somebody else's by now"),
            // The lease runs out, and the job is queued again.
            Err(error) => tracing::error!(job = id, "its end cannot be recorded: {error}"),
        }
    }

    /// Queues again what a process that went away was working on.
    fn requeue(&self, gone: Option<&str>) {
        let requeued = self.tools.store.requeue_jobs(gone).unwrap_or_else(|error| {
            tracing::error!("cannot look for jobs that were left behind: {error}");
            Vec::new()
        });
        for job in requeued {
            tracing::warn!(job = job.id, "was left behind unfinished, and is {} now", job.state);
            self.feed.publish(&job);
            self.tell();
        }
    }

    /// Says that there may be work.
    fn tell(&self) {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.came.notify_all();
    }

    /// Waits for news beyond those `seen`.
    fn wait(&self, seen: u64) {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let _woken = self.came.wait_timeout_while(news, LOOK, |news| *news == seen);
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned()
}
