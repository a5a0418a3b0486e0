//! How often a caller may do what stays in the audit log for good (the generic cell rate algorithm).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Times in a row, after a rest.
const BURST: u32 = 60;

/// Between two times in the long run.
const INTERVAL: Duration = Duration::from_secs(60);

/// For each caller when it will have rested. Those who have are forgotten.
#[derive(Default)]
pub struct Pace(Mutex<HashMap<String, Instant>>);

impl Pace {
    /// How long a caller has to wait; none where it need not.
    pub fn wait(&self, caller: &str, now: Instant) -> Option<Duration> {
        let rested = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let debt = rested.get(caller)?.saturating_duration_since(now);
        let wait = (debt + INTERVAL).saturating_sub(BURST * INTERVAL);
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts what a caller did.
    pub fn count(&self, caller: &str, now: Instant) {
        let mut rested = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rested.retain(|_, at| *at > now);
        let at = rested.entry(caller.to_owned()).or_insert(now);
        *at += INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let (pace, start) = (Pace::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(pace.wait("ann", start), None);
            pace.count("ann", start);
        }
        assert_eq!(pace.wait("ann", start), Some(INTERVAL));
        assert_eq!(pace.wait("bob", start), None, "others are not concerned");
        assert_eq!(pace.wait("ann", start + INTERVAL / 2), Some(INTERVAL / 2));
        let later = start + INTERVAL;
        assert_eq!(pace.wait("ann", later), None);
        pace.count("ann", later);
        assert_eq!(pace.wait("ann", later), Some(INTERVAL));
    }
}
