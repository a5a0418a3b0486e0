//! [`Crew`]: threads that take units from a queue, each watched while it is in a plugin.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lglp_engine::host::{CallWatch, GivenUp};
use lglp_engine::priority;

use super::asked::Asked;
use super::queue::{Account, Place, Queue, Taken};
use super::watchdog;

/// Some milliseconds of work, and how whoever waits for it hears of it.
pub trait Unit: Send + Sync {
    /// Does the work, and tells what came out.
    fn run(&self);

    /// Tells that nothing comes out. May be called while [`Self::run`] hangs.
    fn fail(&self, lost: Lost);

    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool {
        true
    }
}

/// Why nothing comes out of a unit.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// A plugin did not come back in time.
    #[error(
        "{} of the plugin `{}` has not come back after {} s; {} is in quarantine",
        .call.component, .call.plugin, .deadline.as_secs_f64(), .call.quarantined
    )]
    Overdue { call: GivenUp, deadline: Duration },
    /// The server ends.
    #[error("the server is stopping; ask again when it is back")]
    Stopping,
    /// Whoever asked has gone.
    #[error("nobody waits for it any more")]
    Unwanted,
    #[error("the work on this request was cut off; the log tells why")]
    Panicked,
}

/// Threads that compute.
pub struct Crew(Arc<Shared>);

/// What the threads share.
pub(super) struct Shared {
    pub(super) name: &'static str,
    pub(super) size: usize,
    /// How long a call into a plugin may take; `None` where nobody watches.
    deadline: Option<Duration>,
    waiting: Mutex<Waiting>,
    came: Condvar,
    pub(super) members: Mutex<Vec<Arc<Member>>>,
    /// Whether the threads yield to those that answer requests.
    yields: AtomicBool,
    requests: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    queue: Queue,
    stopping: bool,
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

impl Crew {
    /// Starts the threads. A call into a plugin that takes longer than `deadline` is given up.
    pub fn start(name: &'static str, size: usize, deadline: Option<Duration>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            name,
            size,
            deadline,
            waiting: Mutex::default(),
            came: Condvar::new(),
            members: Mutex::default(),
            yields: AtomicBool::new(false),
            requests: AtomicU64::new(0),
        });
        let crew = Self(shared);
        crew.0.fill()?;
        if let Some(deadline) = deadline {
            watchdog::start(&crew.0, deadline)?;
        }
        Ok(crew)
    }

    /// Threads that work at once.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Has a unit done some time. Never blocks.
    pub fn submit(&self, place: Place, unit: Arc<dyn Unit>) {
        let mut waiting = self.0.waiting();
        if waiting.stopping {
            drop(waiting);
            unit.fail(Lost::Stopping);
            return;
        }
        waiting.queue.push(place, unit);
        drop(waiting);
        self.0.came.notify_one();
    }

    /// Has work done, and waits for it.
    pub(crate) fn run_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
        let (unit, answer) = Asked::new(work);
        self.submit(self.place(Account::default()), Arc::new(unit));
        answer.blocking_recv().unwrap_or(Err(Lost::Stopping))
    }

    /// The place of a request that consists of one unit.
    pub fn place(&self, account: Account) -> Place {
        let request = self.number();
        Place {
            account,
            request,
            got: 0,
        }
    }

    /// A number for a request that no other has.
    pub fn number(&self) -> u64 {
        self.0.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Drops what a request has waiting.
    pub(super) fn forget(&self, request: u64) {
        let units = self.0.waiting().queue.remove(request);
        for unit in units {
            unit.fail(Lost::Unwanted);
        }
    }

    /// From now on the threads yield to those that answer requests, once they have done what they are at.
    pub(crate) fn yield_to_others(&self) {
        self.0.yields.store(true, Ordering::Relaxed);
        self.0.came.notify_all();
    }

    /// Answers what waits, and ends each thread after the unit that it is in.
    pub fn stop(&self) {
        let units = {
            let mut waiting = self.0.waiting();
            waiting.stopping = true;
            waiting.queue.drain()
        };
        self.0.came.notify_all();
        for unit in units {
            unit.fail(Lost::Stopping);
        }
    }

    /// Answers what runs still, once the crew was stopped: a plugin may not come back.
    pub(crate) fn abandon(&self) {
        let members = self.0.members().clone();
        let units = members.iter().filter_map(|member| member.unit().clone());
        for unit in units {
            unit.fail(Lost::Stopping);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
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
    fn unit(&self) -> MutexGuard<'_, Option<Arc<dyn Unit>>> {
        self.unit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
