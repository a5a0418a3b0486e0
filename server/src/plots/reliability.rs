//! Reliability diagrams: the share of measurements that intervals of a coverage hold, against that coverage.

use plotters::prelude::*;

use super::{COLOURS, FONT, PlotError};

/// A share held by intervals that were to hold another one, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    pub asked: f64,
    /// Mean and deviation over several test parts.
    pub mean: f64,
    pub deviation: f64,
}

const SIZE: u32 = 480;

/// Shares with whiskers of one deviation, and the diagonal on which they would lie.
pub fn reliability(heading: &str, shares: &[Held]) -> Result<String, PlotError> {
    let what = "a reliability diagram";
    let percent = |share: f64| 100.0 * share;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (SIZE, SIZE)).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .caption(heading, (FONT, 16))
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..100.0, 0.0..100.0)
            .map_err(PlotError::of(what))?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc("coverage that was asked for, %")
            .y_desc("measurements within the interval, %")
            .label_style((FONT, 14))
            .draw()
            .map_err(PlotError::of(what))?;
        let diagonal = LineSeries::new([(0.0, 0.0), (100.0, 100.0)], BLACK.mix(0.5));
        chart.draw_series(diagonal).map_err(PlotError::of(what))?;
        let whiskers = shares.iter().map(|held| {
            let ends = [held.mean - held.deviation, held.mean + held.deviation];
            let ends = ends.map(|end| (percent(held.asked), percent(end.clamp(0.0, 1.0))));
            PathElement::new(ends, COLOURS[0].stroke_width(1))
        });
        chart.draw_series(whiskers).map_err(PlotError::of(what))?;
        let dots = shares
            .iter()
            .map(|held| Circle::new((percent(held.asked), percent(held.mean)), 3, COLOURS[0].filled()));
        chart.draw_series(dots).map_err(PlotError::of(what))?;
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}
