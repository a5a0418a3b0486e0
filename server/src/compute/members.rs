//! The threads of a crew, and what they share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lglp_engine::host::CallWatch;
use lglp_engine::priority;

use super::queue::{Queue, Taken};
use super::unit::{Lost, Unit};

/// What the threads share.
pub(super) struct Shared {
    pub(super) name: &'static str,
    pub(super) size: usize,
    /// How long a call into a plugin may take; `None` where nobody watches.
    pub(super) deadline: Option<Duration>,
    pub(super) waiting: Mutex<Waiting>,
    pub(super) came: Condvar,
    pub(super) members: Mutex<Vec<Arc<Member>>>,
    /// Whether the threads yield to those that answer requests.
    pub(super) yields: AtomicBool,
    pub(super) requests: AtomicU64,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) queue: Queue,
    pub(super) stopping: bool,
}

/// One thread.
#[derive(Default)]
pub(super) struct Member {
    pub(super) calls: Arc<CallWatch>,
    /// As the system numbers it; 0 until it runs.
    pub(super) thread: AtomicU64,
    unit: Mutex<Option<Arc<dyn Unit>>>,
    given_up: AtomicBool,
}

impl Shared {
    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn members(&self) -> MutexGuard<'_, Vec<Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.waiting().stopping
    }

    /// Starts threads until there are enough.
    pub(super) fn fill(self: &Arc<Self>) -> std::io::Result<()> {
        let mut members = self.members();
        while members.len() < self.size {
            let member = Arc::<Member>::default();
            let (shared, working) = (self.clone(), member.clone());
            std::thread::Builder::new()
                .name(self.name.into())
                .spawn(move || shared.work(&working))?;
            members.push(member);
        }
        Ok(())
    }

    /// Gives up the call of this number, and the thread with it.
    pub(super) fn give_up(&self, member: &Arc<Member>, call: u64, deadline: Duration) {
        // Held until the thread is marked: it must not take another unit in between.
        let mut unit = member.unit();
        let Some(call) = member.calls.give_up(call) else { return };
        member.given_up.store(true, Ordering::Release);
        let unit = unit.take();
        self.members().retain(|other| !Arc::ptr_eq(other, member));
        priority::lower_other(member.thread.load(Ordering::Relaxed));
        tracing::error!(
            plugin = call.plugin,
            component = call.component,
            "a call has not come back after {deadline:?}: {} is in quarantine, its thread is replaced",
            call.quarantined
        );
        if let Some(unit) = unit {
            unit.fail(Lost::Overdue { call, deadline });
        }
    }

    fn work(&self, member: &Member) {
        member.thread.store(priority::this_thread(), Ordering::Relaxed);
        if self.deadline.is_some() {
            member.calls.begin();
        }
        let mut yields = false;
        while !member.given_up.load(Ordering::Acquire) {
            if !yields && self.yields.load(Ordering::Relaxed) {
                priority::lower();
                yields = true;
            }
            let Some(taken) = self.next(yields) else { return };
            let Some(taken) = taken else { continue };
            let began = Instant::now();
            *member.unit() = Some(taken.unit.clone());
            if catch_unwind(AssertUnwindSafe(|| taken.unit.run())).is_err() {
                taken.unit.fail(Lost::Panicked);
            }
            *member.unit() = None;
            self.waiting().queue.settle(&taken, Some(began.elapsed()));
        }
    }

    /// The next unit that somebody waits for; `Some(None)` where there is something else to see to, `None` at the end.
    fn next(&self, yields: bool) -> Option<Option<Taken>> {
        let mut waiting = self.waiting();
        loop {
            if waiting.stopping {
                return None;
            }
            while let Some(taken) = waiting.queue.pop() {
                if taken.unit.is_wanted() {
                    return Some(Some(taken));
                }
                waiting.queue.settle(&taken, None);
                // What it holds is freed without the lock.
                drop(waiting);
                drop(taken);
                waiting = self.waiting();
            }
            if yields != self.yields.load(Ordering::Relaxed) {
                return Some(None);
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Member {
    pub(super) fn unit(&self) -> MutexGuard<'_, Option<Arc<dyn Unit>>> {
        self.unit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
