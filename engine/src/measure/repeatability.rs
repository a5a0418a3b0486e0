//! How well labels repeat: the noise floor that accuracy is read against.

use std::collections::BTreeMap;

use lglp_registry::{HardwareName, Measurement, Registry};
use serde::Serialize;

use super::Excluded;
use super::statistics::{median, quantile};

/// Relative differences of two replicates of measurements of the same architectures, over the mean of the two; and what they consist of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeatability {
    /// How many architectures were measured in both replicates.
    pub architectures: usize,
    /// Of the differences without their sign.
    pub median_percent: f64,
    /// The 95th percentile of the differences without their sign.
    pub p95_percent: f64,
    /// What the second replicate is above the first one as a whole: the processes, and the hours, that the two were measured in.
    pub shift_percent: f64,
    /// Standard deviation of one label beside that: `1.4826 median |d - shift| / sqrt 2`, as robust as a median.
    pub label_percent: f64,
    /// How much of that is drift: the correlation of differences that were measured one after the other, in the second replicate. Above
    /// .3 or so, the machine's state outlives a measurement.
    pub autocorrelation: f64,
}

impl Repeatability {
    /// Compares two replicates of measurements of a target, those that are excluded left out; `None` where they share no
    /// architecture.
    pub fn between(
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &str,
        replicates: (u32, u32),
    ) -> lglp_registry::Result<Option<Self>> {
        let excluded = Excluded::of(store, hardware, space)?;
        let counting = |replicate| -> lglp_registry::Result<Vec<Measurement>> {
            let mut measured = store.measurements_without_samples(hardware, space, Some(replicate))?;
            measured.retain(|measurement| !excluded.has(measurement));
            Ok(measured)
        };
        Ok(Self::of(&counting(replicates.0)?, &counting(replicates.1)?))
    }

    fn of(first: &[Measurement], second: &[Measurement]) -> Option<Self> {
        let labels: BTreeMap<_, f64> = first.iter().map(|m| (&m.digest, m.latency_ms)).collect();
        let mut both: Vec<_> = second
            .iter()
            .filter_map(|m| Some((&m.measured_at, *labels.get(&m.digest)?, m.latency_ms)))
            .collect();
        both.sort_by_key(|(measured_at, ..)| *measured_at);
        let differences: Vec<f64> = both.iter().map(|(_, a, b)| 200.0 * (b - a) / (a + b)).collect();
        let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
        let shift = median(&differences);
        let centred: Vec<f64> = differences.iter().map(|difference| difference - shift).collect();
        let spread: Vec<f64> = centred.iter().map(|rest| rest.abs()).collect();
        (!differences.is_empty()).then(|| Self {
            architectures: differences.len(),
            median_percent: quantile(&sizes, 0.5),
            p95_percent: quantile(&sizes, 0.95),
            shift_percent: shift,
            label_percent: GAUSSIAN * median(&spread) / f64::sqrt(2.0),
            autocorrelation: autocorrelation(&centred),
        })
    }
}

/// A standard deviation to the median of absolute deviations, where errors are Gaussian.
const GAUSSIAN: f64 = 1.4826;

/// Of neighbours in a row whose mean is nought; 0 where all are.
fn autocorrelation(row: &[f64]) -> f64 {
    let neighbours: f64 = row.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let all: f64 = row.iter().map(|value| value * value).sum();
    if all > 0.0 { neighbours / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reckoned by hand.
    #[test]
    fn what_differences_consist_of() {
        let measured = |latencies: [f64; 5]| -> Vec<Measurement> {
            let rows = latencies.iter().enumerate();
            rows.map(|(at, latency_ms)| measurement(at, *latency_ms)).collect()
        };
        let (first, second) = (measured([100.0; 5]), measured([101.0, 102.0, 103.0, 102.0, 102.0]));
        let found = Repeatability::of(&first, &second).unwrap();
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        let percent = |second: f64| 200.0 * (second - 100.0) / (second + 100.0);
        assert_eq!(found.architectures, 5);
        near(found.median_percent, percent(102.0));
        near(found.shift_percent, percent(102.0));
        near(found.label_percent, 0.0);
        let (below, above) = (percent(101.0) - percent(102.0), percent(103.0) - percent(102.0));
        near(found.autocorrelation, 0.0);
        let second = measured([101.0, 103.0, 103.0, 102.0, 101.0]);
        let found = Repeatability::of(&first, &second).unwrap();
        near(found.label_percent, GAUSSIAN * above / f64::sqrt(2.0));
        let all = 2.0 * (below * below + above * above);
        near(found.autocorrelation, (below * above + above * above) / all);
        assert!(Repeatability::of(&first, &[]).is_none());
    }

    fn measurement(at: usize, latency_ms: f64) -> Measurement {
        let architecture = format!("a{at}");
        serde_json::from_value(serde_json::json!({
            "hardware": "here", "space": "s", "digest": lglp_registry::Digest::of(architecture.as_bytes()),
            "architecture": architecture, "round": 0, "latency_ms": latency_ms, "statistic": "", "protocol": {},
            "samples": [], "load_average": 0.0, "drift": false, "flags": [], "process": "",
            "measured_at": format!("2026-01-01T00:00:0{at}Z"),
        }))
        .unwrap()
    }
}
