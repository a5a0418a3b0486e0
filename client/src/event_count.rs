//! Waiting for the next event without asking again and again.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A count of events, so that whoever looks elsewhere for a moment misses none.
#[derive(Debug, Default)]
pub struct EventCount {
    count: Mutex<u64>,
    changed: Condvar,
}

impl EventCount {
    /// Counts an event, and wakes everyone who waits for one.
    pub fn notify(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// How many events there were.
    pub fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there have been more than `seen` events, or until a point in time.
    pub fn wait(&self, seen: u64, until: Option<Instant>) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count <= seen {
            count = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(count).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return,
                Some(left) => {
                    let waited = self.changed.wait_timeout(count, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_event_before_the_wait_is_not_missed() {
        let events = EventCount::default();
        let seen = events.count();
        events.notify();
        events.wait(seen, None);
        let start = Instant::now();
        events.wait(events.count(), Some(start + Duration::from_millis(30)));
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn an_event_ends_the_wait() {
        let events = EventCount::default();
        let seen = events.count();
        std::thread::scope(|scope| {
            scope.spawn(|| events.wait(seen, None));
            events.notify();
        });
    }
}
