//! Curves in files.

use std::path::Path;

use anyhow::Context as _;

use crate::plots::{Series, lines};

/// Writes curves of values above 0 as SVG, with some room above and below them.
pub fn write_lines(file: &Path, heading: &str, x: &str, y: &str, series: &[Series]) -> anyhow::Result<()> {
    let values = series.iter().flat_map(|s| s.points.iter().map(|point| point.1));
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let drawn = lines(heading, x, y, 0.7 * low..1.4 * high, series)?;
    std::fs::write(file, drawn).with_context(|| format!("cannot write {}", file.display()))
}
