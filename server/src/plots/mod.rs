//! Plots as SVG: for reports, where people look rather than read.

mod bars;
mod histogram;
mod lines;
mod panels;
mod reliability;

pub use bars::{Bar, Bars, Difference, bars};
pub use histogram::{Distribution, histogram};
pub use lines::{Series, lines};
pub use panels::{Panel, residuals, scatter};
pub use reliability::{Held, reliability};

use std::ops::Range;

use plotters::chart::{ChartContext, SeriesLabelPosition};
use plotters::coord::CoordTranslate;
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange, LogCoord, WithKeyPoints};
use plotters::prelude::DrawingBackend;
use plotters::style::{BLACK, Color, RGBColor, WHITE};

/// A plot that could not be drawn: a bug, since nothing but memory is drawn on.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {what}: {problem}")]
pub struct PlotError {
    what: &'static str,
    problem: String,
}

impl PlotError {
    fn of<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |problem| Self {
            what,
            problem: problem.to_string(),
        }
    }
}

/// Colours that differ also to the colour-blind (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

const FONT: &str = "sans-serif";

/// A number on an axis, as short as it is clear.
fn tick(value: f64) -> String {
    match value.abs() {
        v if v >= 10_000.0 => format!("{:.0}k", value / 1000.0),
        v if v >= 10.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        _ => format!("{value:.2}"),
    }
}

/// A logarithmic axis with 1, 2 and 5 times every power of ten on it. Plotters' own choice is powers of ten alone where the
/// axis spans little more than one.
fn log_axis(range: Range<f64>) -> WithKeyPoints<LogCoord<f64>> {
    let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
    let points = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|leading| leading * 10f64.powi(decade)));
    let points = points.filter(|point| range.contains(point)).collect();
    range.log_scale().with_key_points(points)
}

/// The names of what was drawn, with their colours.
fn legend<'a, DB: DrawingBackend + 'a, CT: CoordTranslate>(
    chart: &mut ChartContext<'a, DB, CT>,
    position: SeriesLabelPosition,
) -> Result<(), PlotError> {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 15))
        .draw()
        .map_err(PlotError::of("a legend"))
}
