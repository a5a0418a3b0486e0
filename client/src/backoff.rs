//! How long to wait before something that failed is tried again.

use std::time::Duration;

use rand::Rng;

/// Waits that double, up to a longest.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row; 20 % more or less, so that those who failed together do not try together.
    pub fn delay(self, failures: u32, rng: &mut impl Rng) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
        doubled.min(self.longest).mul_f64(rng.random_range(0.8..=1.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = Backoff {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(600),
        };
        let mut rng = rand::rng();
        for (failures, seconds) in [
            (1, 1.0),
            (2, 2.0),
            (5, 16.0),
            (10, 512.0),
            (11, 600.0),
            (u32::MAX, 600.0),
        ] {
            let waits: Vec<f64> = (0..200)
                .map(|_| backoff.delay(failures, &mut rng).as_secs_f64())
                .collect();
            let within = |wait: &f64| (0.8 * seconds - 1e-6..=1.2 * seconds + 1e-6).contains(wait);
            assert!(waits.iter().all(within), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "they vary");
        }
    }
}
