//! Accuracy as people read it: a line per metric with its unit, and the noise floor of the measurements beside it.

use comfy_table::{CellAlignment, Table};
use lglp_registry::{HardwareName, Store};

use super::table::table;
use crate::measure::Repeatability;
use crate::train::Metrics;

/// What each metric of [`Metrics::entries`] is, and the digits and unit that it is printed with.
const MEANINGS: [(&str, usize, &str, &str); 8] = [
    ("mse", 1, " ms^2", "mean squared error"),
    ("mae", 2, " ms", "mean absolute error"),
    ("r2", 4, "", "coefficient of determination"),
    ("correlation", 4, "", "Pearson's correlation"),
    ("mape", 2, " %", "mean absolute percentage error"),
    ("spearman", 4, "", "correlation of ranks"),
    ("within_5", 1, " %", "predictions within 5 % of the measurement"),
    ("within_10", 1, " %", "predictions within 10 % of the measurement"),
];

/// The metrics of one test part, or mean and standard deviation over several.
pub fn metrics_table(runs: &[Metrics]) -> Table {
    let mut rows = table(&["metric", "test part", "what it is"]);
    for (name, digits, unit, meaning) in MEANINGS {
        let (mean, deviation) = mean_and_deviation(&values(runs, name));
        let value = match runs.len() {
            1 => format!("{mean:.digits$}{unit}"),
            _ => format!("{mean:.digits$} +- {deviation:.digits$}{unit}"),
        };
        rows.add_row([name, &value, meaning]);
    }
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    rows
}

/// The values of one metric.
pub fn values(runs: &[Metrics], name: &str) -> Vec<f64> {
    let entries = runs.iter().flat_map(Metrics::entries);
    entries.filter(|entry| entry.0 == name).map(|entry| entry.1).collect()
}

/// Mean and sample standard deviation (0 of a single value).
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// How well measurements repeat, in words: no predictor can be better. `None` where nothing was measured twice.
pub fn noise_floor(store: &dyn Store, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Option<String>> {
    let round = |round| store.measurements(hardware, space, Some(round));
    Ok(Repeatability::of(&round(0)?, &round(1)?).map(|r| {
        format!(
            "noise floor: {} architectures measured twice differ by {:.2} % in the median, {:.2} % at the 95th percentile",
            r.architectures, r.median_percent, r.p95_percent
        )
    }))
}
