//! [`Crew`]: threads that take units from a queue, each watched while it is in a plugin.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::asked::Asked;
use super::members::Shared;
use super::queue::{Account, Place};
use super::unit::{Lost, Unit};
use super::watchdog;

/// Threads that compute.
pub struct Crew(Arc<Shared>);

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
