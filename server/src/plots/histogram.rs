//! Distributions of latencies.

use plotters::prelude::*;

use super::{COLOURS, FONT, PlotError, legend, tick};

/// A named set of latencies.
pub struct Distribution {
    pub name: String,
    /// Milliseconds.
    pub latencies_ms: Vec<f64>,
}

const BINS: usize = 25;

/// Share of each distribution's architectures by latency, in bins of equal width, as outlines over one another.
pub fn histogram(heading: &str, distributions: &[Distribution]) -> Result<String, PlotError> {
    let what = "a histogram";
    let longest = distributions
        .iter()
        .flat_map(|d| &d.latencies_ms)
        .copied()
        .fold(0.0, f64::max);
    let width = longest.max(f64::MIN_POSITIVE) / BINS as f64;
    let shares: Vec<Vec<f64>> = distributions.iter().map(|d| shares(&d.latencies_ms, width)).collect();
    let highest = shares.iter().flatten().copied().fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 420)).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .caption(heading, (FONT, 20))
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..width * BINS as f64, 0.0..highest * 1.05)
            .map_err(PlotError::of(what))?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc("measured latency, ms")
            .y_desc("architectures, %")
            .x_label_formatter(&|v| tick(*v))
            .y_label_formatter(&|v| tick(*v))
            .label_style((FONT, 14))
            .draw()
            .map_err(PlotError::of(what))?;
        for ((distribution, shares), colour) in distributions.iter().zip(&shares).zip(COLOURS) {
            let outline = shares.iter().enumerate().flat_map(|(bin, share)| {
                let (from, to) = (bin as f64 * width, (bin + 1) as f64 * width);
                [(from, *share), (to, *share)]
            });
            chart
                .draw_series(LineSeries::new(outline, colour.stroke_width(2)))
                .map_err(PlotError::of(what))?
                .label(format!("{} ({})", distribution.name, distribution.latencies_ms.len()))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
        }
        legend(&mut chart, SeriesLabelPosition::UpperRight)?;
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}

/// Percent of the values in each bin.
fn shares(values: &[f64], width: f64) -> Vec<f64> {
    let mut shares = vec![0.0; BINS];
    for value in values {
        shares[((value / width) as usize).min(BINS - 1)] += 100.0 / values.len() as f64;
    }
    shares
}
