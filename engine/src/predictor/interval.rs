//! Prediction intervals by conformal prediction (Lei et al., 2018, arXiv:1604.04173), from rows that the model did not know: those of
//! the validation part, or each row of the fit as all others tell it, where the regressor can say so.

use lglp_registry::{FittedNetworks, NewVersion};
use lglp_sdk::count;
use lglp_sdk::plugin::LeftOut;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The share of intervals that should hold what is measured, unless a request asks for another.
pub const COVERAGE: f64 = 0.9;

/// Rows below which intervals rest on what is believed of errors, more than on errors that were seen.
const FEW: usize = 50;

/// Rows from which both ends are told by errors of their own side.
const MANY: usize = 200;

/// Rows that the belief counts as, that scores are 1 in the quadratic mean.
const BELIEVED: f64 = 10.0;

/// The largest score that counts wholly, where rows are few.
const LARGEST: f64 = 4.0;

/// Why there is no interval.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoInterval {
    /// Too few rows were held out for an interval of this coverage.
    #[error("{} held out, {} % needs {needed}", count(*.held_out, "measurement"), percent(*.coverage))]
    FewRows {
        /// The number of rows that there are: of the validation part, or left out one after another.
        held_out: usize,
        /// The coverage that was asked for, 0 to 1.
        coverage: f64,
        /// How many it takes.
        needed: usize,
    },
    /// There is no spread to make the interval of, for this prediction or for differences at all.
    #[error("the version does not tell how far it may be off here")]
    NoSpread,
    /// Too much of the prediction is of operators that the model was not fitted on.
    #[error("{:.0} % of it is of operators that were not measured", 100.0 * .share)]
    Guess {
        /// The share of the prediction, 0 to 1.
        share: f64,
    },
    /// An end of the interval is NaN or infinite.
    #[error("the interval would have no end")]
    Endless,
}

/// An interval around a prediction, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end; around a prediction it is 0 or more.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The share of such intervals that should hold what is measured, 0 to 1.
    pub coverage: f64,
    /// Whether too few rows were seen to be sure of the coverage.
    pub provisional: bool,
}

/// What intervals are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Calibration {
    /// `|measured - predicted| / predicted` of the validation part, sorted: errors grow with what is predicted.
    Relative(Vec<f64>),
    /// `(measured - predicted) / spread` of each row as all others tell it, sorted; spreads come with predictions.
    Scores(Vec<f64>),
}

impl Calibration {
    /// From rows that the model was not fitted on; measured and predicted in one unit.
    pub(crate) fn of_validation(measured: &[f64], predicted: &[f64]) -> Self {
        let residual = |(m, p): (&f64, &f64)| (m - p).abs() / p.abs();
        Self::Relative(sorted(measured.iter().zip(predicted).map(residual)))
    }

    /// From rows that were left out, one after another.
    pub(crate) fn of_left_out(measured: &[f64], left_out: &[LeftOut]) -> Self {
        let score = |(m, row): (&f64, &LeftOut)| (m - row.predicted) / row.spread;
        Self::Scores(sorted(measured.iter().zip(left_out).map(score)))
    }

    /// Of networks that a version was fitted on.
    pub(crate) fn of_networks(networks: &FittedNetworks) -> Self {
        Self::Scores(sorted(networks.scores.iter().copied()))
    }

    /// As a version of the registry holds it.
    pub(crate) fn of_version(content: &NewVersion) -> Self {
        match content.scores.is_empty() {
            true => Self::Relative(sorted(content.residuals.iter().copied())),
            false => Self::Scores(sorted(content.scores.iter().copied())),
        }
    }

    /// Relative residuals and scores, as a version of the registry holds them.
    pub fn parts(&self) -> (Vec<f64>, Vec<f64>) {
        match self {
            Self::Relative(residuals) => (residuals.clone(), Vec::new()),
            Self::Scores(scores) => (Vec::new(), scores.clone()),
        }
    }

    /// How far the intervals of a coverage, more than 0 and less than 1, reach: the same for all predictions.
    ///
    /// # Errors
    /// [`NoInterval::FewRows`].
    pub fn reach(&self, coverage: f64) -> Result<Reach, NoInterval> {
        let (rows, ends, of_spread) = match self {
            Self::Relative(residuals) => (
                residuals,
                largest(residuals, coverage).map(|width| (width, width)),
                false,
            ),
            Self::Scores(scores) => (scores, ends(scores, coverage), true),
        };
        let (below, above) = ends.ok_or_else(|| NoInterval::FewRows {
            held_out: rows.len(),
            coverage,
            needed: (1..).find(|rows| rank(*rows, coverage) <= *rows).unwrap_or(usize::MAX),
        })?;
        Ok(Reach {
            below,
            above,
            of_spread,
            coverage,
            provisional: of_spread && rows.len() < FEW,
        })
    }
}

/// How far intervals reach below and above predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    below: f64,
    above: f64,
    /// Whether both are times the spread of a prediction, or times the prediction.
    of_spread: bool,
    coverage: f64,
    provisional: bool,
}

impl Reach {
    /// The interval around a prediction.
    ///
    /// # Errors
    /// [`NoInterval::NoSpread`] where it needs one; [`NoInterval::Endless`].
    pub fn around(&self, predicted: f64, spread: Option<f64>) -> Result<Interval, NoInterval> {
        let unit = match self.of_spread {
            true => spread.ok_or(NoInterval::NoSpread)?,
            false => predicted.abs(),
        };
        let interval = self.between(predicted - self.below * unit, predicted + self.above * unit)?;
        let low = interval.low.max(0.0);
        Ok(Interval { low, ..interval })
    }

    /// The interval around a difference of two predictions, which may be below zero. It reaches as far on both sides: either of the
    /// two may be the one that takes longer than is predicted.
    ///
    /// # Errors
    /// [`NoInterval::NoSpread`] where there is none of differences; [`NoInterval::Endless`].
    pub(crate) fn of_difference(&self, difference: f64, spread: Option<f64>) -> Result<Interval, NoInterval> {
        let spread = spread.filter(|_| self.of_spread).ok_or(NoInterval::NoSpread)?;
        let width = self.below.max(self.above) * spread;
        self.between(difference - width, difference + width)
    }

    fn between(&self, low: f64, high: f64) -> Result<Interval, NoInterval> {
        let interval = Interval {
            low,
            high,
            coverage: self.coverage,
            provisional: self.provisional,
        };
        let has_ends = low.is_finite() && high.is_finite();
        has_ends.then_some(interval).ok_or(NoInterval::Endless)
    }
}

/// A coverage in percent, as whoever asked for it wrote it.
fn percent(coverage: f64) -> f64 {
    (1e6 * coverage).round() / 1e4
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The `ceil((n + 1) * coverage)`-th smallest, which has the coverage for exchangeable rows of any distribution.
fn largest(sorted: &[f64], coverage: f64) -> Option<f64> {
    let rank = rank(sorted.len(), coverage);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn rank(rows: usize, coverage: f64) -> usize {
    ((rows + 1) as f64 * coverage).ceil() as usize
}

/// How many spreads an interval reaches below and above the prediction.
fn ends(scores: &[f64], coverage: f64) -> Option<(f64, f64)> {
    let count = scores.len();
    if count < FEW {
        let squares: f64 = scores.iter().map(|score| score.abs().min(LARGEST).powi(2)).sum();
        let rows = count as f64 + BELIEVED;
        let quantile = StudentsT::new(0.0, 1.0, rows - 1.0)
            .ok()?
            .inverse_cdf((1.0 + coverage) / 2.0);
        let width = quantile * ((BELIEVED + squares) / rows).sqrt();
        return Some((width, width));
    }
    if count >= MANY {
        let above = largest(scores, (1.0 + coverage) / 2.0);
        let mirrored: Vec<f64> = scores.iter().rev().map(|score| -score).collect();
        if let (Some(above), Some(below)) = (above, largest(&mirrored, (1.0 + coverage) / 2.0)) {
            return Some((below.max(0.0), above.max(0.0)));
        }
    }
    let absolute = sorted(scores.iter().map(|score| score.abs()));
    largest(&absolute, coverage).map(|width| (width, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_own_end_where_there_are_many_rows() {
        // One in ten takes much longer.
        let scores: Vec<f64> = (0..1000)
            .map(|i| {
                if i % 10 == 0 {
                    5.0 + f64::from(i) / 1e4
                } else {
                    f64::from(i % 7) / 10.0 - 0.3
                }
            })
            .collect();
        let calibration = Calibration::Scores(sorted(scores.into_iter()));
        let interval = calibration
            .reach(0.9)
            .and_then(|reach| reach.around(100.0, Some(1.0)))
            .expect("an interval");
        assert!(
            interval.low > 99.5 && interval.high > 105.0 && !interval.provisional,
            "{interval:?}"
        );
        let half = calibration
            .reach(0.5)
            .and_then(|reach| reach.around(100.0, Some(1.0)))
            .expect("an interval");
        assert!(half.high < interval.high && half.low >= interval.low, "{half:?}");
        assert_eq!(
            calibration.reach(0.9).and_then(|reach| reach.around(100.0, None)),
            Err(NoInterval::NoSpread)
        );
    }

    #[test]
    fn few_rows_are_told_by_what_is_believed_and_say_so() {
        let calibration = Calibration::Scores(vec![0.1, -0.2, 0.3]);
        let interval = calibration
            .reach(0.9)
            .and_then(|reach| reach.around(10.0, Some(1.0)))
            .expect("an interval");
        // Student's t of 12 degrees of freedom at 0.95 is 1.782; (10 + 0.14) / 13 under the root.
        let width = 1.7823 * (10.14f64 / 13.0).sqrt();
        assert!(
            (interval.high - 10.0 - width).abs() < 1e-3 && interval.provisional,
            "{interval:?}"
        );
    }

    #[test]
    fn too_few_rows_are_told_with_how_many_it_takes() {
        let rows = |count: usize| vec![0.1; count];
        for (calibration, coverage, reason) in [
            (
                Calibration::Relative(rows(8)),
                0.9,
                "8 measurements held out, 90 % needs 9",
            ),
            (
                Calibration::Relative(rows(30)),
                0.975,
                "30 measurements held out, 97.5 % needs 39",
            ),
            (
                Calibration::Relative(Vec::new()),
                0.5,
                "0 measurements held out, 50 % needs 1",
            ),
            (
                Calibration::Relative(rows(1)),
                0.999,
                "1 measurement held out, 99.9 % needs 999",
            ),
            (
                Calibration::Scores(rows(100)),
                0.999,
                "100 measurements held out, 99.9 % needs 999",
            ),
        ] {
            let refused = calibration.reach(coverage).expect_err(reason);
            assert_eq!(refused.to_string(), reason);
            let NoInterval::FewRows { needed, .. } = refused else {
                panic!("{refused:?}");
            };
            let enough = match calibration {
                Calibration::Relative(_) => Calibration::Relative(rows(needed)),
                Calibration::Scores(_) => Calibration::Scores(rows(needed)),
            };
            assert!(enough.reach(coverage).is_ok(), "{needed} are enough");
        }
        let reach = Calibration::Relative(rows(9)).reach(0.9).expect("enough");
        assert_eq!(reach.of_difference(1.0, Some(1.0)), Err(NoInterval::NoSpread));
        assert_eq!(reach.around(f64::MAX * 0.99, None), Err(NoInterval::Endless));
    }
}
