//! Who works on jobs here: a thread that measures, one that trains, one that searches, and one for what waits for workers to measure.
//!
//! Two trainings at once would be slower than one after the other; two measurements at once would spoil each other. The
//! registry's leases keep that promise also for machines beside this one.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lglp_registry::{
    Admission, Error, Job, JobFilter, JobKind, JobOutcome, JobState, LeaseRequest, NewJob, Result, Role, Store,
};
use tokio::sync::Notify;

use super::feed::{Feed, Listener};
use super::leasing::Measurer;
use super::run::Run;
use super::{JobError, Services, check, kind};

/// Under what name the server holds leases. One process has the registry open, so that whatever is leased to this name when
/// it starts was left behind by one that is gone.
const HOLDER: &str = "server";

/// How long a lease holds without a heartbeat, seconds.
const LEASE_S: u32 = 60;

/// Between two looks for work where nobody said that there is some, and after a failure.
const LOOK: Duration = Duration::from_secs(30);

/// What a thread does.
struct WorkerThread {
    /// Also the device that its leases are on: one job of a lane at a time.
    name: &'static str,
    kinds: &'static [JobKind],
    /// For which hardware targets; all where it says nothing.
    of: Option<Measurer>,
}

const LANES: [WorkerThread; 4] = [
    WorkerThread {
        name: "measuring",
        kinds: &[JobKind::Measure, JobKind::Validate, JobKind::Onboard],
        of: Some(Measurer::Here),
    },
    WorkerThread {
        name: "training",
        kinds: &[JobKind::Train],
        of: None,
    },
    WorkerThread {
        name: "searching",
        kinds: &[JobKind::Search],
        of: None,
    },
    // Workers measure for it: it plans before, and reports afterwards.
    WorkerThread {
        name: "waiting",
        kinds: &[JobKind::Validate, JobKind::Onboard],
        of: Some(Measurer::Workers),
    },
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
    tools: Services,
    feed: Arc<Feed>,
    stopping: AtomicBool,
    /// Counts what may mean work: who looked before it moved looks again.
    news: Mutex<u64>,
    came: Condvar,
    /// The same, for those who wait without a thread.
    heard: Notify,
    /// Held while a job is shared.
    sharing: Mutex<()>,
}

impl Jobs {
    /// Takes up what a server that went away left behind, and starts working.
    ///
    /// # Panics
    /// Where the system has no more threads.
    pub fn start(tools: Services, limit: usize) -> Self {
        let shared = Arc::new(Shared {
            tools,
            feed: Arc::new(Feed::new()),
            stopping: AtomicBool::new(false),
            news: Mutex::new(0),
            came: Condvar::new(),
            heard: Notify::new(),
            sharing: Mutex::new(()),
        });
        shared.requeue(Some(HOLDER));
        // Workers could not renew theirs while no server was there.
        if let Err(error) = shared.tools.store.renew_leases_except(HOLDER) {
            tracing::error!("cannot renew the leases of workers: {error}");
        }
        let threads = LANES.map(|lane| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(lane.name.to_owned());
            let thread = thread.spawn(move || shared.work(&lane));
            thread.expect("the system has threads")
        });
        Self {
            shared,
            limit,
            threads: Mutex::new(threads.into()),
        }
    }

    /// Checks a job and puts it into the queue. But for an admin, who may have all of the places, a creator has its share.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for the hardware target; `QueueFull`; `ShareTaken`; `Conflict` where the key was
    /// used for another job.
    pub fn submit(&self, new: NewJob, idempotency_key: Option<&str>, role: Role) -> Result<Job> {
        let new = check(new, &self.shared.tools)?;
        let places = self.limit;
        let admission = match role {
            Role::Admin => Admission::Any { places },
            _ => Admission::Fair { places },
        };
        let job = self.shared.tools.store.create_job(&new, idempotency_key, admission)?;
        self.shared.tell();
        Ok(job)
    }

    /// Cancels a job; a running one ends between two steps.
    ///
    /// # Errors
    /// `NotFound`; `JobEnded`.
    pub fn cancel(&self, id: u64, actor: &str) -> Result<Job> {
        let store = &*self.shared.tools.store;
        let job = store.cancel_job(id, actor)?;
        if job.state.has_ended() {
            self.shared.feed.publish(&job);
        }
        self.cancel_parts(&job, actor)?;
        Ok(job)
    }

    /// Whether the server stops: nobody should wait for work any more.
    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed)
    }

    /// Waits until there may be work, or for a while.
    pub async fn news(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.shared.heard.notified()).await;
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.shared.tools.store
    }

    /// Waits for the turn to share a job.
    pub(super) fn sharing(&self) -> MutexGuard<'_, ()> {
        self.shared.sharing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tools(&self) -> &Services {
        &self.shared.tools
    }

    /// Says that there may be work.
    pub(super) fn tell(&self) {
        self.shared.tell();
    }

    /// Queues again what a process that went away was working on.
    pub(super) fn requeue(&self, gone: Option<&str>) {
        self.shared.requeue(gone);
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

    /// Listens to a job.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn listen(&self, id: u64) -> Result<Listener> {
        self.shared.feed.listen(&*self.shared.tools.store, id)
    }

    /// Who hears what happens.
    pub(crate) fn feed(&self) -> &Feed {
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
    fn work(&self, lane: &WorkerThread) {
        while !self.stopping.load(Ordering::Relaxed) {
            let seen = *self.news.lock().unwrap_or_else(PoisonError::into_inner);
            match self.lease(lane) {
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

    fn lease(&self, lane: &WorkerThread) -> Result<Option<Job>> {
        let store = &*self.tools.store;
        let hardware = match lane.of {
            None => None,
            Some(measurer) => {
                let queued = JobFilter {
                    hardware: None,
                    state: Some(JobState::Queued),
                };
                let names = store.jobs(&queued, usize::MAX)?.into_iter().map(|job| job.hardware);
                let mut own = BTreeSet::new();
                for name in names.collect::<BTreeSet<_>>() {
                    if Measurer::of(store, self.tools.host.machine(), &name)? == measurer {
                        own.insert(name);
                    }
                }
                Some(own)
            }
        };
        store.lease_job(&LeaseRequest {
            holder: HOLDER.to_owned(),
            device: format!("{HOLDER}:{}", lane.name),
            kinds: lane.kinds.iter().copied().collect(),
            hardware,
            seconds: LEASE_S,
        })
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
            Err(JobError::Stopped | JobError::Waiting) => store.release_job(id, fencing),
            Err(error) => store.finish_job(id, fencing, &JobOutcome::failed(error.to_string())),
        };
        match ended {
            Ok(job) => {
                let error = job.error.as_deref().unwrap_or_default();
                tracing::info!(job = id, error, "{}", job.state);
                self.feed.publish(&job);
                // Somebody may have waited for it, or for the device.
                self.tell();
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
        self.heard.notify_waiters();
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
