//! Accuracy as people read it: a line per metric with its unit, and the noise floor of the measurements beside it.

use std::collections::BTreeMap;

use lglp_registry::{HardwareName, Registry};
use lglp_sdk::count;

use lglp_engine::measure::Repeatability;
use lglp_engine::train::{Metrics, Summary, summaries};
use lglp_terminal::{Table, table};

/// What each metric of [`Metrics::entries`] is, with the digits that it is printed with and its unit, in
/// which `U` is the unit of what is predicted.
const MEANINGS: [(&str, usize, &str, &str); 15] = [
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
    ("r2_exchanged", 4, "", "r2 with measurement and prediction exchanged"),
    ("mac_mape", 2, " %", "mape of multiply-accumulates times a constant"),
    ("mac_r2", 4, "", "r2 of multiply-accumulates times a constant"),
    ("covered", 1, " %", "measurements within the 90 % interval"),
    ("width", 1, " %", "mean width of that interval, of the prediction"),
];

/// The metrics of one test part, or mean and standard deviation over several; `of` is the unit of what is predicted.
pub(crate) fn metrics_table(runs: &[Metrics], of: &str) -> Table {
    let mut rows = table(&["metric", "test part", "what it is"]).with_numbers([1]);
    for (name, Summary { mean, sd, values }) in summaries(runs) {
        // What the paper's table is compared by says nothing more of a model.
        if name == "r2_exchanged" {
            continue;
        }
        let (digits, unit) = shown(name, mean, of);
        let value = match values.len() {
            1 => format!("{mean:.digits$}{unit}"),
            _ => format!("{mean:.digits$} +- {sd:.digits$}{unit}"),
        };
        rows.add_row([name, &value, meaning(name)]);
    }
    rows
}

/// The metrics that a version was recorded with, in the same order; `of` is the unit of what it predicts.
pub(crate) fn recorded_metrics(metrics: &BTreeMap<String, f64>, of: &str) -> Table {
    let mut rows = table(&["metric", "test part", "what it is"]).with_numbers([1]);
    let known = MEANINGS.iter().map(|(name, ..)| *name);
    let others = metrics
        .keys()
        .map(String::as_str)
        .filter(|name| meaning(name).is_empty());
    for name in known.chain(others) {
        if let Some(value) = metrics.get(name) {
            rows.add_row([name, &metric(name, *value, of), meaning(name)]);
        }
    }
    rows
}

/// What a metric is, in words; nothing of one that is not known here.
fn meaning(name: &str) -> &'static str {
    let known = MEANINGS.iter().find(|(own, ..)| *own == name);
    known.map_or("", |meaning| meaning.3)
}

/// A metric's value with its unit; `of` is that of what is predicted.
pub(crate) fn metric(name: &str, value: f64, of: &str) -> String {
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
pub(crate) fn noise_floor(
    store: &dyn Registry,
    hardware: &HardwareName,
    space: &str,
) -> lglp_registry::Result<Option<String>> {
    Ok(Repeatability::between(store, hardware, space, (0, 1))?.map(|r| {
        format!(
            "noise floor: {} measured twice, {:.2} % apart in the median, {:.2} % at the 95th percentile",
            count(r.architectures, "architecture"),
            r.median_percent,
            r.p95_percent
        )
    }))
}
