//! How well labels repeat: the noise floor that accuracy is read against.

use std::collections::BTreeMap;

use lglp_registry::Measurement;
use serde::Serialize;

use super::statistics::quantile;

/// Relative differences of two rounds of measurements of the same architectures: `|a - b|` over their mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeatability {
    pub architectures: usize,
    pub median_percent: f64,
    pub p95_percent: f64,
}

impl Repeatability {
    /// Compares two rounds; `None` where they share no architecture.
    pub fn of(first: &[Measurement], second: &[Measurement]) -> Option<Self> {
        let labels: BTreeMap<_, f64> = first.iter().map(|m| (&m.digest, m.latency_ms)).collect();
        let pairs = second
            .iter()
            .filter_map(|m| Some((*labels.get(&m.digest)?, m.latency_ms)));
        let differences: Vec<f64> = pairs.map(|(a, b)| 200.0 * (a - b).abs() / (a + b)).collect();
        (!differences.is_empty()).then(|| Self {
            architectures: differences.len(),
            median_percent: quantile(&differences, 0.5),
            p95_percent: quantile(&differences, 0.95),
        })
    }
}
