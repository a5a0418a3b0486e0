//! Accuracy as people read it: a line per metric with its unit, and the noise floor of the measurements beside it.

use comfy_table::{CellAlignment, Table};
use lglp_registry::{HardwareName, Store};

use super::table::table;
use crate::measure::Repeatability;
use crate::train::{Metrics, Summary, summaries};

/// What each metric of [`Metrics::entries`] is, with the digits that it is printed with and its unit, in
/// which `U` is the unit of what is predicted.
const MEANINGS: [(&str, usize, &str, &str); 12] = [
    ("mse", 1, " U^2", "mean squared error"),
    ("mae", 2, " U", "mean absolute error"),
    ("r2", 4, "", "coefficient of determination"),
    ("correlation", 4, "", "Pearson's correlation"),
    ("mape", 2, " %", "mean absolute percentage error"),
    ("spearman", 4, "", "correlation of ranks"),
    ("within_5", 1, " %", "predictions within 5 % of the measurement"),
    ("within_10", 1, " %", "predictions within 10 % of the measurement"),
    ("median_ape", 2, " %", "median absolute percentage error"),
    ("spearman_within", 4, "", "correlation of ranks within one resolution"),
    ("covered", 1, " %", "measurements within the 90 % interval"),
    ("width", 1, " %", "mean width of that interval, of the prediction"),
];

/// The metrics of one test part, or mean and standard deviation over several; `of` is the unit of what is predicted.
pub fn metrics_table(runs: &[Metrics], of: &str) -> Table {
    let mut rows = table(&["metric", "test part", "what it is"]);
    for (name, Summary { mean, sd, values }) in summaries(runs) {
        let meaning = MEANINGS
            .iter()
            .find(|(own, ..)| *own == name)
            .map_or("", |meaning| meaning.3);
        let (digits, unit) = shown(name, mean, of);
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

/// A metric's value with its unit; `of` is that of what is predicted.
pub fn metric(name: &str, value: f64, of: &str) -> String {
    let (digits, unit) = shown(name, value, of);
    format!("{value:.digits$}{unit}")
}

/// Digits behind the point and unit of a metric of this value; four digits of one that is not known here.
fn shown(name: &str, value: f64, of: &str) -> (usize, String) {
    let Some((_, digits, unit, _)) = MEANINGS.iter().find(|meaning| meaning.0 == name) else {
        return (4, String::new());
    };
    // Fast devices and energies have errors far below 1 of the unit: two digits that count are shown of them, too.
    let more = match unit.contains('U') && value > 0.0 {
        true => (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize,
        false => 0,
    };
    (more.max(*digits), unit.replace('U', of))
}

/// How well measurements repeat, in words: no predictor can be better. `None` where nothing was measured twice.
pub fn noise_floor(store: &dyn Store, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Option<String>> {
    let round = |round| store.measurements_without_samples(hardware, space, Some(round));
    Ok(Repeatability::of(&round(0)?, &round(1)?).map(|r| {
        format!(
            "noise floor: {} architectures measured twice differ by {:.2} % in the median, {:.2} % at the 95th percentile",
            r.architectures, r.median_percent, r.p95_percent
        )
    }))
}
