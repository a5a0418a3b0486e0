//! Metrics over several splits.

use serde::Serialize;

use super::Metrics;

/// One metric over several splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean of the values.
    pub mean: f64,
    /// Sample standard deviation; 0 of a single value.
    pub sd: f64,
    /// One per split.
    pub values: Vec<f64>,
}

impl Summary {
    /// Sums up a metric's values, one per split; without any, the mean is NaN.
    pub fn of(values: Vec<f64>) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let sd = (squares / (n - 1.0).max(1.0)).sqrt();
        Self { mean, sd, values }
    }
}

/// Every metric of [`Metrics::entries`] that all have, in its order. `runs` are the splits, at least one.
pub fn summaries(runs: &[Metrics]) -> Vec<(&'static str, Summary)> {
    let entries: Vec<_> = runs.iter().map(Metrics::entries).collect();
    let of_all = |name| -> Option<Vec<f64>> {
        let of_run = |run: &Vec<(&str, f64)>| run.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        entries.iter().map(of_run).collect()
    };
    let names = entries[0].iter().map(|(name, _)| *name);
    names
        .filter_map(|name| Some((name, Summary::of(of_all(name)?))))
        .collect()
}
