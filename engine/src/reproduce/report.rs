//! Results as tables: means and deviations over splits.

use std::collections::BTreeMap;

use lglp_registry::{Digest, HardwareName, HardwareTarget};
use serde::Serialize;

use super::cells::Cells;
use super::experiments::Variant;
use super::results::{CellResult, Results};
use crate::host::PluginError;
use crate::measure::Repeatability;
use crate::train::{Metrics, Summary, summaries};

/// What was measured, and on what.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    /// The hardware target.
    pub hardware: HardwareName,
    /// The record of the target, as the registry has it.
    pub target: HardwareTarget,
    /// The name of the search space.
    pub space: String,
    /// The frozen dataset that everything was fitted on.
    pub dataset: Digest,
    /// The number of the dataset's rows.
    pub architectures: usize,
    /// Of them, drawn weighted to large depth and resolution.
    pub weighted_draws: usize,
    /// Shortest, median and longest latency, milliseconds.
    pub latency_ms: (f64, f64, f64),
    /// Measurements that are marked as not to be trained on.
    pub excluded: usize,
    /// How well replicates 0 and 1 of the measurements agree; `None` where they share no architecture.
    pub repeatability: Option<Repeatability>,
}

/// The whole report, as `report.json` has it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The title of the experiment file.
    pub title: String,
    /// What was measured, and on what.
    pub subject: Subject,
    /// Rows of the training, validation and test part.
    pub split: (usize, usize, usize),
    /// The recipe that the paper argues for.
    pub favourite: String,
    /// Best first, by mean R^2.
    pub table1: Vec<Line>,
    /// For each recipe its lines, one per encoding; empty where there is no result.
    pub encodings: Vec<Vec<Line>>,
    /// One per connection, in the order of the experiment file.
    pub connections: Vec<Line>,
    /// One per recipe, in the order of the experiment file.
    pub learning_curve: Vec<Curve>,
}

/// One predictor over all splits.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub recipe: String,
    pub title: String,
    pub encoding: String,
    pub connection: Option<String>,
    pub splits: usize,
    pub metrics: BTreeMap<&'static str, Summary>,
    /// The paper's figures, as far as they are known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paper: BTreeMap<String, f64>,
    /// Mean time of a fit, seconds.
    pub seconds: f64,
}

/// One predictor over sizes of the training part.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    pub recipe: String,
    pub points: Vec<Point>,
}

/// A point of a learning curve.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub train_rows: usize,
    pub splits: usize,
    pub metrics: BTreeMap<&'static str, Summary>,
}

/// Sums results up. Cells without a result are left out; lines without any are as well.
pub fn report(
    cells: &Cells<'_>,
    results: &Results,
    subject: Subject,
    split: (usize, usize, usize),
) -> Result<Report, PluginError> {
    let found = |variant: &Variant, seeds: std::ops::Range<u64>, rows: Option<usize>| {
        let mut found = Vec::new();
        for seed in seeds {
            found.extend(results.get(&cells.cell(variant, seed, rows)?.key));
        }
        Ok::<Vec<&CellResult>, PluginError>(found)
    };
    let line = |variant: &Variant| -> Result<Option<Line>, PluginError> {
        let results = found(variant, cells.seeds(), None)?;
        if results.is_empty() {
            return Ok(None);
        }
        let name = &variant.recipe.name;
        Ok(Some(Line {
            recipe: name.clone(),
            title: variant.recipe.title.clone(),
            encoding: variant.encoding.clone(),
            connection: variant.connection.clone(),
            splits: results.len(),
            metrics: of(&results),
            paper: cells.experiments.table1.paper.get(name).cloned().unwrap_or_default(),
            seconds: results.iter().map(|r| r.seconds).sum::<f64>() / results.len() as f64,
        }))
    };
    let lines = |variants: &[Variant]| -> Result<Vec<Line>, PluginError> {
        variants.iter().filter_map(|v| line(v).transpose()).collect()
    };
    let mut table1 = lines(&cells.table1)?;
    table1.sort_by(|a, b| b.metrics["r2"].mean.total_cmp(&a.metrics["r2"].mean));
    let mut learning_curve = Vec::new();
    for variant in &cells.learning_curve {
        let sizes = cells
            .sizes
            .iter()
            .map(|size| (Some(*size), *size))
            .chain([(None, split.0)]);
        let mut points = Vec::new();
        for (rows, train_rows) in sizes {
            let results = found(variant, cells.curve_seeds(), rows)?;
            if !results.is_empty() {
                points.push(Point {
                    train_rows,
                    splits: results.len(),
                    metrics: of(&results),
                });
            }
        }
        learning_curve.push(Curve {
            recipe: variant.recipe.name.clone(),
            points,
        });
    }
    Ok(Report {
        title: cells.experiments.title.clone(),
        subject,
        split,
        favourite: cells.experiments.table1.favourite.clone(),
        table1,
        encodings: cells.encodings.iter().map(|row| lines(row)).collect::<Result<_, _>>()?,
        connections: lines(&cells.connections)?,
        learning_curve,
    })
}

fn of(results: &[&CellResult]) -> BTreeMap<&'static str, Summary> {
    let metrics: Vec<Metrics> = results.iter().map(|r| r.metrics).collect();
    summaries(&metrics).into_iter().collect()
}
