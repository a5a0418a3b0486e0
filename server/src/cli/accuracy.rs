//! Accuracy as people read it: a line per metric with its unit, and the noise floor of the measurements beside it.

use comfy_table::{CellAlignment, Table};
use lglp_registry::{HardwareName, Store};

use super::table::table;
use crate::measure::Repeatability;
use crate::train::{Metrics, Summary, summaries};

/// What each metric of [`Metrics::entries`] is, in its order, and the digits and unit that it is printed with.
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
    for ((name, digits, unit, meaning), (_, Summary { mean, sd, values })) in MEANINGS.into_iter().zip(summaries(runs))
    {
        let value = match values.len() {
            1 => format!("{mean:.digits$}{unit}"),
            _ => format!("{mean:.digits$} +- {sd:.digits$}{unit}"),
        };
        rows.add_row([name, &value, meaning]);
    }
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    rows
}

/// A metric's value with its unit; one that is not known here with four digits.
pub fn metric(name: &str, value: f64) -> String {
    match MEANINGS.iter().find(|meaning| meaning.0 == name) {
        Some((_, digits, unit, _)) => format!("{value:.digits$}{unit}"),
        None => format!("{value:.4}"),
    }
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
