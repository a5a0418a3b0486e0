//! What the work of a job tells while it is done, and what it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lglp_registry::{Error, Job, Progress, Result, Store};
use serde_json::Value;

use super::feed::Feed;

/// Between two heartbeats: also how long a cancellation takes to be heard, and what the registry's progress lags behind.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Between two looks of listeners; a fit has hundreds of rounds a second.
const FRAME: Duration = Duration::from_millis(100);

/// A job that is being worked on.
pub struct Run<'a> {
    store: &'a dyn Store,
    feed: &'a Feed,
    id: u64,
    fencing: u64,
    /// Set where the job is to be cancelled, or is somebody else's by now.
    stopped: AtomicBool,
    /// Set where the server stops.
    stopping: &'a AtomicBool,
    seen: Mutex<Seen>,
    /// Wakes the heartbeats, so that they end with the work.
    over: Condvar,
}

/// What is seen of a job from outside.
struct Seen {
    job: Job,
    /// When listeners saw it last.
    shown: Instant,
    over: bool,
}

impl<'a> Run<'a> {
    /// The work on a job that was leased.
    pub(super) fn new(store: &'a dyn Store, feed: &'a Feed, stopping: &'a AtomicBool, job: Job) -> Self {
        feed.publish(&job);
        Self {
            store,
            feed,
            id: job.id,
            fencing: job.attempts,
            stopped: AtomicBool::new(false),
            stopping,
            seen: Mutex::new(Seen {
                job,
                shown: Instant::now(),
                over: false,
            }),
            over: Condvar::new(),
        }
    }

    /// Tells how far the work is: `done` of `of` steps. May be called as often as is convenient.
    pub fn progress(&self, done: u64, of: u64, note: String) {
        let mut seen = self.seen();
        seen.job.progress = Some(Progress { done, of, note });
        if seen.shown.elapsed() >= FRAME {
            self.show(&mut seen);
        }
    }

    /// Whether the work is to end between two steps: the job is to be cancelled, or the server stops.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.stopping.load(Ordering::Relaxed)
    }

    /// Keeps what the work needs to go on where it is; durable once this returns.
    ///
    /// # Errors
    /// Those of [`Leasing::checkpoint_job`](lglp_registry::Leasing::checkpoint_job).
    pub fn checkpoint(&self, checkpoint: &Value) -> Result<()> {
        let job = self.store.checkpoint_job(self.id, self.fencing, checkpoint)?;
        self.seen().job.checkpoint = job.checkpoint;
        Ok(())
    }

    /// Renews the lease until the work is over, and tells the last of its progress.
    pub(super) fn keep_alive(&self) {
        let mut seen = self.seen();
        loop {
            (seen, _) = self
                .over
                .wait_timeout_while(seen, HEARTBEAT, |seen| !seen.over)
                .unwrap_or_else(PoisonError::into_inner);
            let is_last = seen.over;
            let progress = seen.job.progress.clone();
            drop(seen);
            let told = self.store.heartbeat_job(self.id, self.fencing, progress.as_ref());
            seen = self.seen();
            match told {
                Ok(job) => {
                    self.stopped.fetch_or(job.cancel_requested, Ordering::Relaxed);
                    seen.job.cancel_requested = job.cancel_requested;
                    seen.job.lease = job.lease;
                    self.show(&mut seen);
                }
                Err(Error::StaleLease { .. }) => self.stopped.store(true, Ordering::Relaxed),
                Err(error) => tracing::warn!(job = self.id, "a heartbeat failed: {error}"),
            }
            if is_last {
                return;
            }
        }
    }

    /// Ends the heartbeats.
    pub(super) fn end(&self) {
        self.seen().over = true;
        self.over.notify_all();
    }

    fn show(&self, seen: &mut Seen) {
        seen.shown = Instant::now();
        self.feed.publish(&seen.job);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
