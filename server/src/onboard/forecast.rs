//! What more measurements would bring, from how the error fell so far.

use serde::Serialize;

use super::Step;

/// A share of the error that is worth measuring as many again.
const WORTH: f64 = 0.1;

/// The error after twice as many measurements, if it goes on falling by a power of their number as it did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Forecast {
    pub measured: usize,
    /// Mean relative error, percent.
    pub error: f64,
    /// Whether it would fall by a tenth or more.
    pub worthwhile: bool,
}

impl Forecast {
    /// `None` after a single step.
    pub fn of(steps: &[Step]) -> Option<Self> {
        let [_, .., last] = steps else { return None };
        // Least squares of the logarithms: one step alone tells too little.
        let points = steps.iter().map(|step| ((step.measured as f64).ln(), step.error.ln()));
        let count = steps.len() as f64;
        let (x, y) = points
            .clone()
            .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
        let (covariance, variance) = points.fold((0.0, 0.0), |(c, v), (px, py)| {
            (c + (px - x) * (py - y), v + (px - x) * (px - x))
        });
        let slope = (covariance / variance).clamp(-1.0, 0.0);
        let error = last.error * 2f64.powf(slope);
        Some(Self {
            measured: 2 * last.measured,
            error,
            worthwhile: error <= (1.0 - WORTH) * last.error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(measured: usize, error: f64) -> Step {
        Step {
            measured,
            error,
            uncertainty: 0.0,
            seconds: 0.0,
        }
    }

    #[test]
    fn an_error_that_halves_with_each_doubling_halves_again() {
        let found = Forecast::of(&[step(10, 8.0), step(20, 4.0), step(40, 2.0)]).unwrap();
        assert!((found.error - 1.0).abs() < 1e-9 && found.measured == 80 && found.worthwhile);
        let flat = Forecast::of(&[step(10, 2.0), step(20, 2.0)]).unwrap();
        assert!(!flat.worthwhile && flat.error == 2.0);
        let rising = Forecast::of(&[step(10, 2.0), step(20, 3.0)]).unwrap();
        assert_eq!(rising.error, 3.0, "more measurements do no harm");
        assert_eq!(Forecast::of(&[step(10, 2.0)]), None);
    }
}
