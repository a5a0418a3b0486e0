//! The server's own threads that work on jobs: one that measures, one that trains, one that searches, and one for what waits for workers
//! to measure.
//!
//! Two trainings at once would be slower than one after the other; two measurements at once would spoil each other. The
//! registry's leases keep that promise also for machines beside this one.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lglp_registry::{Error, Job, JobFilter, JobKind, JobOutcome, JobState, LeaseHolder, LeaseRequest, Result};

use super::JobError;
use super::measurer::Measurer;
use super::queue::Queue;
use super::run::Run;
use super::task::Task;

/// How long a lease holds without a heartbeat, seconds.
const LEASE_S: u32 = 60;

/// What a thread does.
struct WorkerThread {
    /// Also the device that its leases are on: one job of a thread at a time.
    name: &'static str,
    kinds: &'static [JobKind],
    /// For which hardware targets; all where it says nothing.
    of: Option<Measurer>,
}

const THREADS: [WorkerThread; 4] = [
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

/// The threads that work on jobs.
pub struct Executor {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Executor {
    /// Takes up what a server that went away left behind, and starts working.
    ///
    /// # Panics
    /// Where the system has no more threads.
    pub(super) fn start(queue: &Arc<Queue>) -> Self {
        // One process has the registry open, so that whatever the server holds when it starts was left behind by one that is gone.
        queue.requeue(Some(&LeaseHolder::Server));
        // Workers could not renew theirs while no server was there.
        if let Err(error) = queue.store().renew_leases_except(&LeaseHolder::Server) {
            tracing::error!("cannot renew the leases of workers: {error}");
        }
        let threads = THREADS.map(|own| {
            let queue = queue.clone();
            let thread = std::thread::Builder::new().name(own.name.to_owned());
            let thread = thread.spawn(move || own.work(&queue));
            thread.expect("the system has threads")
        });
        Self {
            queue: queue.clone(),
            threads: Mutex::new(threads.into()),
        }
    }

    /// Tells the threads to end between two steps of their work, and sends listeners away.
    pub fn stop(&self) {
        self.queue.close();
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

impl WorkerThread {
    /// Works on one job after the other until the server stops.
    fn work(&self, queue: &Queue) {
        while !queue.is_stopping() {
            let seen = queue.news();
            match self.lease(queue) {
                Ok(Some(job)) => work_on(queue, job),
                Ok(None) => {
                    queue.requeue(None);
                    queue.wait_beyond(seen);
                }
                Err(error) => {
                    tracing::error!("cannot look for jobs: {error}");
                    queue.wait_beyond(seen);
                }
            }
        }
    }

    fn lease(&self, queue: &Queue) -> Result<Option<Job>> {
        let store = queue.store();
        let hardware = match self.of {
            None => None,
            Some(measurer) => {
                let queued = JobFilter {
                    hardware: None,
                    state: Some(JobState::Queued),
                };
                let names = store.jobs(&queued, usize::MAX)?.into_iter().map(|job| job.hardware);
                let mut own = BTreeSet::new();
                for name in names.collect::<BTreeSet<_>>() {
                    if Measurer::of(store, queue.services().host.machine(), &name)? == measurer {
                        own.insert(name);
                    }
                }
                Some(own)
            }
        };
        let holder = LeaseHolder::Server;
        store.lease_job(&LeaseRequest {
            device: format!("{holder}:{}", self.name),
            holder,
            kinds: self.kinds.iter().copied().collect(),
            hardware,
            seconds: LEASE_S,
        })
    }
}

fn work_on(queue: &Queue, job: Job) {
    let (id, fencing) = (job.id, job.attempts);
    tracing::info!(job = id, kind = %job.kind, hardware = %job.hardware, "begins");
    let (store, services) = (queue.store(), queue.services());
    let run = Run::new(store, queue.feed(), queue.stopping(), job.clone());
    let result = std::thread::scope(|scope| {
        scope.spawn(|| run.keep_alive());
        let work = || Task::of(&job)?.run(&job, services, &run);
        let result = catch_unwind(AssertUnwindSafe(work));
        run.end();
        result.unwrap_or_else(|panic| Err(JobError::Panicked(message(&*panic))))
    });
    let ended = match result {
        Ok(result) => match store.finish_job(id, fencing, &JobOutcome::Succeeded(result)) {
            // A result that is no record's would be worked for again and again.
            Err(error @ Error::Invalid { .. }) => store.finish_job(id, fencing, &JobOutcome::failed(error.to_string())),
            ended => ended,
        },
        Err(JobError::Stopped | JobError::Waiting) => store.release_job(id, fencing),
        Err(error) => store.finish_job(id, fencing, &JobOutcome::failed(error.to_string())),
    };
    match ended {
        Ok(job) => {
            let error = job.error.as_deref().unwrap_or_default();
            tracing::info!(job = id, error, "{}", job.state);
            queue.feed().publish(&job);
            // Somebody may have waited for it, or for the device.
            queue.notify();
        }
        Err(Error::StaleLease { .. }) => tracing::warn!(job = id, "is somebody else's by now"),
        // The lease runs out, and the job is queued again.
        Err(error) => tracing::error!(job = id, "its end cannot be recorded: {error}"),
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned()
}
