//! How long to wait before an event is tried again.

use std::time::Duration;

use rand::Rng;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// After many.
const LONGEST: Duration = Duration::from_secs(600);

/// The wait after so many failures in a row: from 1 s, twice as long each time, up to 10 min; 20 % more or less, so that
/// targets that went down together are not tried together.
pub fn delay(failures: u32, rng: &mut impl Rng) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(LONGEST).mul_f64(rng.random_range(0.8..=1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let mut rng = rand::rng();
        for (failures, seconds) in [
            (1, 1.0),
            (2, 2.0),
            (5, 16.0),
            (10, 512.0),
            (11, 600.0),
            (u32::MAX, 600.0),
        ] {
            let waits: Vec<f64> = (0..200).map(|_| delay(failures, &mut rng).as_secs_f64()).collect();
            let within = |wait: &f64| (0.8 * seconds - 1e-6..=1.2 * seconds + 1e-6).contains(wait);
            assert!(waits.iter().all(within), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "they vary");
        }
    }
}
