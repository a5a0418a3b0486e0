//! Waiting for the next event without asking again and again.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A bell that counts how often it was rung, so that who looks elsewhere for a moment misses nothing.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    bell: Condvar,
}

impl Bell {
    /// Wakes everyone who waits.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.bell.notify_all();
    }

    /// How often it was rung.
    pub fn count(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has been rung more than `seen` times, or until a point in time.
    pub fn wait(&self, seen: u64, until: Option<Instant>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while *rung <= seen {
            rung = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.bell.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return,
                Some(left) => {
                    let waited = self.bell.wait_timeout(rung, left);
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
    fn a_ring_before_the_wait_is_not_missed() {
        let bell = Bell::default();
        let seen = bell.count();
        bell.ring();
        bell.wait(seen, None);
        let start = Instant::now();
        bell.wait(bell.count(), Some(start + Duration::from_millis(30)));
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_ring_ends_the_wait() {
        let bell = Bell::default();
        let seen = bell.count();
        std::thread::scope(|scope| {
            scope.spawn(|| bell.wait(seen, None));
            bell.ring();
        });
    }
}
