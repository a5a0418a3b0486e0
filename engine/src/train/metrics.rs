//! Accuracy of predictions against measurements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::median;
use crate::predictor::Interval;

/// The paper's metrics (section 7.1) and what NAS users ask for besides, in the unit of what is
/// predicted: milliseconds or joules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Mean squared error, in the square of the unit.
    pub mse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// Pearson's correlation (`corrcoef`).
    pub correlation: f64,
    /// Mean absolute percentage error, %.
    pub mape: f64,
    /// Spearman's rank correlation, ties at their mean rank.
    pub spearman: f64,
    /// Share of predictions within 5 % of the measurement, %.
    pub within_5: f64,
    /// Share of predictions within 10 % of the measurement, %.
    pub within_10: f64,
    /// Median absolute percentage error, %; reports of before it was told have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_ape: Option<f64>,
    /// Spearman's rank correlation among architectures of one resolution, the mean over the resolutions, by their rows: most of the order
    /// over all is that of the resolutions. None where each has too few rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spearman_within: Option<f64>,
    /// The coefficient of determination with measurement and prediction exchanged, `1 - mse / variance of the predictions`: what the
    /// paper's Table 1 fits. None where predictions do not vary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2_exchanged: Option<f64>,
    /// Beside it, on the same rows, multiply-accumulates times a constant: its mean absolute percentage error, %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_mape: Option<f64>,
    /// Its coefficient of determination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_r2: Option<f64>,
    /// How intervals do, where there are any.
    #[serde(flatten)]
    pub intervals: Option<IntervalMetrics>,
}

/// Rows of a resolution below which they have no order to speak of.
const FEWEST_OF_A_RESOLUTION: usize = 5;

/// How intervals of [`COVERAGE`](crate::predictor::COVERAGE) do on the test part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalMetrics {
    /// Share of measurements that lie within, %.
    pub covered: f64,
    /// Mean width over what is predicted, %.
    pub width: f64,
}

impl IntervalMetrics {
    /// Compares intervals with measurements, in the same order; `None` where one has none.
    pub fn of(measured: &[f64], predicted: &[f64], intervals: &[Option<Interval>]) -> Option<Self> {
        let n = measured.len() as f64;
        let (mut covered, mut width) = (0.0, 0.0);
        for ((measured, predicted), interval) in measured.iter().zip(predicted).zip(intervals) {
            let Interval { low, high, .. } = (*interval)?;
            covered += if (low..=high).contains(measured) {
                100.0 / n
            } else {
                0.0
            };
            width += 100.0 * (high - low) / predicted / n;
        }
        Some(Self { covered, width })
    }
}

impl Metrics {
    /// Compares predictions with measurements, in the same order.
    pub fn of(measured: &[f64], predicted: &[f64]) -> Self {
        let n = measured.len() as f64;
        let pairs = || measured.iter().zip(predicted);
        let relative: Vec<f64> = pairs().map(|(m, p)| ((p - m) / m).abs()).collect();
        let within = |bound: f64| 100.0 * relative.iter().filter(|r| **r <= bound).count() as f64 / n;
        let mse = pairs().map(|(m, p)| (p - m).powi(2)).sum::<f64>() / n;
        let variance = variance_of(measured);
        Self {
            mse,
            mae: pairs().map(|(m, p)| (p - m).abs()).sum::<f64>() / n,
            r2: 1.0 - mse / variance,
            correlation: pearson(measured, predicted),
            mape: 100.0 * mean(&relative),
            spearman: pearson(&ranks(measured), &ranks(predicted)),
            within_5: within(0.05),
            within_10: within(0.10),
            median_ape: Some(100.0 * median(&relative)),
            spearman_within: None,
            r2_exchanged: Some(1.0 - mse / variance_of(predicted)).filter(|value| value.is_finite()),
            mac_mape: None,
            mac_r2: None,
            intervals: None,
        }
    }

    /// The same, beside what multiply-accumulates times a constant make of the rows: each is `(multiply-accumulates, measured)` of a
    /// row that the constant, the median of their ratios, is taken from.
    pub(crate) fn beside_macs(self, known: &[(u64, f64)], macs: &[u64], measured: &[f64]) -> Self {
        let ratios: Vec<f64> = known.iter().map(|(macs, measured)| measured / *macs as f64).collect();
        let price = median(&ratios);
        let predicted: Vec<f64> = macs.iter().map(|macs| price * *macs as f64).collect();
        let trivial = Self::of(measured, &predicted);
        Self {
            mac_mape: Some(trivial.mape).filter(|value| value.is_finite()),
            mac_r2: Some(trivial.r2).filter(|value| value.is_finite()),
            ..self
        }
    }

    /// Whether multiply-accumulates times a constant do as well, by the mean absolute percentage error.
    pub fn is_trivial(&self) -> bool {
        self.mac_mape.is_some_and(|trivial| self.mape > 0.999 * trivial)
    }

    /// The rank correlation among rows of one resolution. `resolutions` are of the rows, in the same order.
    pub fn spearman_within(measured: &[f64], predicted: &[f64], resolutions: &[u32]) -> Option<f64> {
        let mut groups: BTreeMap<u32, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for ((m, p), resolution) in measured.iter().zip(predicted).zip(resolutions) {
            let (measured, predicted) = groups.entry(*resolution).or_default();
            measured.push(*m);
            predicted.push(*p);
        }
        groups.retain(|_, (measured, _)| measured.len() >= FEWEST_OF_A_RESOLUTION);
        let rows: usize = groups.values().map(|(measured, _)| measured.len()).sum();
        let of_group = |(measured, predicted): &(Vec<f64>, Vec<f64>)| {
            measured.len() as f64 * pearson(&ranks(measured), &ranks(predicted))
        };
        (rows > 0).then(|| groups.values().map(of_group).sum::<f64>() / rows as f64)
    }

    /// Names and values, in the order that tables show them.
    pub fn entries(&self) -> Vec<(&'static str, f64)> {
        let mut entries = vec![
            ("mse", self.mse),
            ("mae", self.mae),
            ("r2", self.r2),
            ("correlation", self.correlation),
            ("mape", self.mape),
            ("spearman", self.spearman),
            ("within_5", self.within_5),
            ("within_10", self.within_10),
        ];
        entries.extend(self.median_ape.map(|value| ("median_ape", value)));
        entries.extend(self.spearman_within.map(|value| ("spearman_within", value)));
        entries.extend(self.r2_exchanged.map(|value| ("r2_exchanged", value)));
        entries.extend(self.mac_mape.map(|value| ("mac_mape", value)));
        entries.extend(self.mac_r2.map(|value| ("mac_r2", value)));
        if let Some(intervals) = self.intervals {
            entries.extend([("covered", intervals.covered), ("width", intervals.width)]);
        }
        entries
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance_of(values: &[f64]) -> f64 {
    let center = mean(values);
    values.iter().map(|value| (value - center).powi(2)).sum::<f64>() / values.len() as f64
}

/// 0 where one side does not vary: a predictor that says the same of everything knows nothing of the order.
fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let cross: f64 = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum();
    let squares = |v: &[f64], m: f64| v.iter().map(|x| (x - m).powi(2)).sum::<f64>();
    let spread = (squares(a, ma) * squares(b, mb)).sqrt();
    if spread == 0.0 { 0.0 } else { cross / spread }
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = start as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for i in tied {
            ranks[*i] = rank;
        }
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanged_the_predictions_variance_is_what_errors_are_measured_by() {
        let metrics = Metrics::of(&[1.0, 2.0, 3.0, 4.0], &[1.5, 2.0, 3.0, 3.5]);
        assert!((metrics.r2 - 0.9).abs() < 1e-12, "{metrics:?}");
        assert!((metrics.r2_exchanged.unwrap() - 0.8).abs() < 1e-12, "{metrics:?}");
        assert_eq!(
            Metrics::of(&[1.0, 2.0], &[1.5, 1.5]).r2_exchanged,
            None,
            "of what does not vary"
        );
    }
}
