//! A circuit breaker: what fails again and again is left alone for a while, longer each time, and then tried once more.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that cost nothing but themselves.
const TOLERATED: u32 = 4;

/// How long it is left alone then, which doubles with each further failure.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// So that a call that works costs no lock.
    failures: AtomicU32,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// Which call of which component it was.
    call: String,
    what: String,
    until: Option<Instant>,
}

impl Breaker {
    /// That a call failed, `what` being that. It is left alone for `least` at least.
    pub(super) fn failed(&self, call: String, what: String, least: Duration) {
        let mut last = self.last();
        let failures = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
        let backoff = match failures.checked_sub(TOLERATED + 1) {
            None => Duration::ZERO,
            Some(further) => FIRST.saturating_mul(1 << further.min(16)).min(LONGEST),
        };
        let pause = backoff.max(least);
        (last.call, last.what) = (call, what);
        last.until = (!pause.is_zero()).then(|| Instant::now() + pause);
    }

    /// That a call worked. Only the one that failed last tells that it does so no more: others may work all the while.
    pub(super) fn worked(&self, call: impl FnOnce() -> String) {
        if self.failures.load(Ordering::Acquire) > 0 {
            let mut last = self.last();
            if last.call == call() {
                self.failures.store(0, Ordering::Release);
                *last = Last::default();
            }
        }
    }

    /// Why it is left alone, where that is so: words that follow an "is".
    pub(super) fn quarantine(&self) -> Option<String> {
        let failures = self.failures.load(Ordering::Acquire);
        if failures == 0 {
            return None;
        }
        let last = self.last();
        let left = last.until?.checked_duration_since(Instant::now())?;
        let times = if failures == 1 {
            "a failure"
        } else {
            "failures in a row"
        };
        let count = if failures == 1 {
            String::new()
        } else {
            format!("{failures} ")
        };
        Some(format!(
            "in quarantine after {count}{times}, the last: {}; it is tried again in {:.0} s",
            last.what,
            left.as_secs_f64().ceil()
        ))
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
