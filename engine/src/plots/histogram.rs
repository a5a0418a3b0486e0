//! Distributions of latencies.

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::picture;
use super::frame::Frame;
use super::legend::legend;
use super::{PlotError, colours};

/// A named set of latencies.
pub struct Distribution {
    /// As the legend has it, before the number of its latencies.
    pub name: String,
    /// Milliseconds.
    pub latencies_ms: Vec<f64>,
}

const BINS: usize = 25;
const SIZE: (u32, u32) = (900, 420);

/// Share of each distribution's architectures by latency, in bins of equal width, as outlines over one another.
pub fn histogram(heading: &str, distributions: &[Distribution]) -> Result<String, PlotError> {
    let longest = distributions
        .iter()
        .flat_map(|d| &d.latencies_ms)
        .copied()
        .fold(0.0, f64::max);
    let width = longest.max(f64::MIN_POSITIVE) / BINS as f64;
    let shares: Vec<Vec<f64>> = distributions.iter().map(|d| shares(&d.latencies_ms, width)).collect();
    let highest = shares.iter().flatten().copied().fold(1.0, f64::max);
    let frame = Frame {
        x: Axis::linear("measured latency, ms", 0.0..width * BINS as f64),
        y: Axis::linear("architectures, %", 0.0..highest * 1.05),
    };
    picture(SIZE, heading, |area| {
        let names = distributions.iter();
        let names = names.map(|d| format!("{} ({})", d.name, d.latencies_ms.len()));
        let area = legend(area, &names.collect::<Vec<_>>())?;
        let mut chart = frame.chart(&area)?;
        for (shares, colour) in shares.iter().zip(colours()) {
            let outline = shares.iter().enumerate().flat_map(|(bin, share)| {
                let (from, to) = (bin as f64 * width, (bin + 1) as f64 * width);
                [(from, *share), (to, *share)]
            });
            let outline = LineSeries::new(outline, colour.stroke_width(2));
            chart.draw_series(outline).map_err(PlotError::of("a histogram"))?;
        }
        Ok(())
    })
}

/// Percent of the values in each bin.
fn shares(values: &[f64], width: f64) -> Vec<f64> {
    let mut shares = vec![0.0; BINS];
    for value in values {
        shares[((value / width) as usize).min(BINS - 1)] += 100.0 / values.len() as f64;
    }
    shares
}
