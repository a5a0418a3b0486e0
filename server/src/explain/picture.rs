//! A picture of an explanation.

use lglp_openapi::explain::{Explanation, OperatorPart};

use lglp_engine::plots::{Bar, Bars, Difference, ErrorBars, PlotError, bars};

/// Kinds that have a colour of their own; all others share the last.
const KINDS: [&str; 6] = [
    "expand",
    "depthwise",
    "project",
    "squeeze-excite",
    "add",
    "everything else",
];

/// What each layer takes, by kind of operator, and what those `changes` changes would save that save most: SVG.
pub fn picture(found: &Explanation, changes: usize) -> Result<String, PlotError> {
    let value = found.prediction.latency_ms.or(found.prediction.energy_j);
    let heading = format!(
        "{:.2} {} on {}, by version {} ({})",
        value.unwrap_or(f64::NAN),
        found.unit,
        found.hardware,
        found.model.version,
        found.model.recipe
    );
    let mut parts: Vec<Bar> = Vec::new();
    for operator in &found.operators {
        let name = match operator.block {
            0 => operator.kind.clone(),
            block => format!("block {block}, layer {}", operator.layer),
        };
        let piece = (kind(operator), operator.value);
        match parts.last_mut() {
            Some(last) if last.name == name => last.pieces.push(piece),
            _ => parts.push(Bar {
                name,
                pieces: vec![piece],
            }),
        }
    }
    parts.push(Bar {
        name: "the rest".into(),
        pieces: vec![(KINDS.len() - 1, found.rest)],
    });
    let differences = found.changes.iter().filter(|change| change.saving > 0.0);
    let differences = differences.take(changes).map(|change| Difference {
        name: change.change.clone(),
        value: change.saving,
        interval: change
            .saving_interval
            .as_ref()
            .map(|interval| (interval.low, interval.high)),
    });
    let intervals = found
        .changes
        .iter()
        .filter_map(|change| change.saving_interval.as_ref());
    let error_bars = intervals.map(|interval| ErrorBars::Interval(interval.coverage)).next();
    bars(&Bars {
        heading: &heading,
        unit: &found.unit,
        kinds: &KINDS,
        parts: &parts,
        differences: &differences.collect::<Vec<_>>(),
        error_bars,
    })
}

fn kind(operator: &OperatorPart) -> usize {
    let known = KINDS.iter().position(|kind| *kind == operator.kind);
    known.unwrap_or(KINDS.len() - 1)
}
