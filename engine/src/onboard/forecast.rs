//! What more measurements would bring, from how the error fell so far.

use serde::{Deserialize, Serialize};

use super::Step;

/// A share of the error that is worth measuring as many again.
const WORTH: f64 = 0.1;

/// The power by which the error usually falls with the number of measurements, and its deviation: on the shipped targets it is -0.8 from ten
/// measurements on, and -0.1 from a hundred on.
const USUAL: (f64, f64) = (-0.3, 0.3);

/// The least uncertainty that is believed, as a share of the error.
const LEAST: f64 = 0.01;

/// The error after twice as many measurements, if it goes on falling by a power of their number as it did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// How many measurements that is: twice as many as there are.
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
        // Least squares of the logarithms, by their certainty: a first step that was good by chance says so.
        let certainty = |step: &Step| (step.error / step.uncertainty.max(LEAST * step.error)).powi(2);
        let points = || {
            steps
                .iter()
                .map(|step| ((step.measured as f64).ln(), step.error.ln(), certainty(step)))
        };
        let weight: f64 = points().map(|(.., w)| w).sum();
        let mean = |of: fn((f64, f64, f64)) -> f64| points().map(|point| point.2 * of(point)).sum::<f64>() / weight;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let moment = |of: &dyn Fn(f64, f64) -> f64| points().map(|(px, py, w)| w * of(px - x, py - y)).sum::<f64>();
        let (covariance, variance) = (moment(&|dx, dy| dx * dy), moment(&|dx, _| dx * dx));
        let believed = USUAL.1.powi(-2);
        let slope = (covariance + believed * USUAL.0) / (variance + believed);
        let slope = slope.clamp(-1.0, 0.0);
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
        assert!((found.error - 1.0).abs() < 1e-3 && found.measured == 80 && found.worthwhile);
        let flat = Forecast::of(&[step(10, 2.0), step(20, 2.0)]).unwrap();
        assert!(!flat.worthwhile && (flat.error - 2.0).abs() < 1e-2, "{flat:?}");
        let rising = Forecast::of(&[step(10, 2.0), step(20, 3.0)]).unwrap();
        assert_eq!(rising.error, 3.0, "more measurements do no harm");
        assert_eq!(Forecast::of(&[step(10, 2.0)]), None);
    }

    /// The story: ten rows happened to be predicted well, so that the error rose from there on, and more was said to bring little.
    #[test]
    fn a_first_step_that_was_good_by_chance_decides_nothing() {
        let unsure = |measured, error, uncertainty| Step {
            uncertainty,
            ..step(measured, error)
        };
        let steps = [
            unsure(10, 3.0, 1.5),
            unsure(15, 5.8, 1.2),
            unsure(20, 4.9, 0.6),
            unsure(25, 4.4, 0.4),
        ];
        let found = Forecast::of(&steps).unwrap();
        assert!(found.worthwhile && found.error < 4.0 && found.error > 3.0, "{found:?}");
    }
}
