//! The report's figures, by file name.

use super::cells::Cells;
use super::report::Report;
use super::results::Results;
use crate::host::PluginError;
use crate::plots::{Curves, Distribution, ErrorBars, Panel, PlotError, Series, histogram, lines, residuals, scatter};
use crate::train::{Split, TrainingData};

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

/// Every figure as file name and SVG. `weighted` says of each row whether it was a weighted draw.
pub fn figures(
    cells: &Cells<'_>,
    results: &Results,
    report: &Report,
    data: &TrainingData,
    weighted: &[bool],
    split: &Split,
) -> Result<Vec<(&'static str, String)>, FigureError> {
    let panels = panels(cells, results, report, data, split)?;
    Ok(vec![
        ("distribution.svg", distribution(report, data, weighted)?),
        (
            "scatter.svg",
            scatter(
                "Predicted against measured latency, test part of the first split",
                &panels,
            )?,
        ),
        (
            "residuals.svg",
            residuals("Error against measured latency, test part of the first split", &panels)?,
        ),
        ("learning-curve.svg", learning_curve(report)?),
    ])
}

fn distribution(report: &Report, data: &TrainingData, weighted: &[bool]) -> Result<String, PlotError> {
    let rows = data.labels.iter().zip(weighted);
    let uniform: Vec<f64> = rows
        .filter(|(_, weighted)| !**weighted)
        .map(|(latency, _)| *latency)
        .collect();
    let all = data.labels.clone();
    let distributions = if uniform.len() == all.len() {
        vec![("as measured", all)]
    } else {
        vec![("uniform draws", uniform), ("with the weighted draws", all)]
    };
    let named = distributions.into_iter().map(|(name, latencies_ms)| Distribution {
        name: name.into(),
        latencies_ms,
    });
    let heading = format!("Latencies on {}", report.subject.hardware);
    histogram(&heading, &named.collect::<Vec<_>>())
}

/// The predictors of Table 1 in its order, best first.
fn panels(
    cells: &Cells<'_>,
    results: &Results,
    report: &Report,
    data: &TrainingData,
    split: &Split,
) -> Result<Vec<Panel>, PluginError> {
    let mut panels = Vec::new();
    for line in &report.table1 {
        let Some(variant) = cells.table1.iter().find(|v| v.recipe.name == line.recipe) else {
            continue;
        };
        if let Some(result) = results.get(&cells.cell(variant, 0, None)?.key) {
            panels.push(Panel {
                title: format!(
                    "{}: R² {:.3}, MAPE {:.1} %",
                    line.recipe, result.metrics.r2, result.metrics.mape
                ),
                measured: data.part(&split.test).labels,
                predicted: result.predicted.clone(),
            });
        }
    }
    Ok(panels)
}

fn learning_curve(report: &Report) -> Result<String, PlotError> {
    let series: Vec<Series> = report
        .learning_curve
        .iter()
        .map(|curve| Series {
            name: curve.recipe.clone(),
            points: curve
                .points
                .iter()
                .map(|point| {
                    let mape = &point.metrics["mape"];
                    (point.train_rows as f64, mape.mean, mape.sd)
                })
                .collect(),
        })
        .collect();
    lines(&Curves {
        heading: "Error against the number of training architectures",
        x: "training architectures",
        y: "MAPE, %",
        error_bars: Some(ErrorBars::StandardDeviation),
        series: &series,
    })
}
