//! Predictions against measurements, a panel for each predictor.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{COLOURS, FONT, PlotError, log_axis, tick};

/// One predictor's predictions of a test part.
pub struct Panel {
    pub title: String,
    /// Milliseconds.
    pub measured: Vec<f64>,
    /// Milliseconds, in the same order.
    pub predicted: Vec<f64>,
}

const COLUMNS: usize = 3;
/// As many as a heading is wide.
const FEWEST_COLUMNS: usize = 2;
const PANEL: (u32, u32) = (400, 340);
const HEADING: u32 = 40;

/// Errors beyond this many percent are drawn at the edge.
const WORST: f64 = 100.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Predicted against measured latency on logarithmic axes, with the diagonal of perfect prediction. What lies off the axes
/// is drawn at their ends.
pub fn scatter(heading: &str, panels: &[Panel]) -> Result<String, PlotError> {
    let ends = ends(panels);
    grid(heading, panels, |area, panel| draw_scatter(area, panel, ends))
}

/// Relative error against measured latency.
pub fn residuals(heading: &str, panels: &[Panel]) -> Result<String, PlotError> {
    let ends = ends(panels);
    grid(heading, panels, |area, panel| draw_residuals(area, panel, ends))
}

fn grid(
    heading: &str,
    panels: &[Panel],
    draw: impl Fn(&Area<'_>, &Panel) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let what = "a grid of panels";
    let columns = panels.len().clamp(FEWEST_COLUMNS, COLUMNS);
    let rows = panels.len().div_ceil(columns).max(1);
    let size = (PANEL.0 * columns as u32, HEADING + PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        let root = root.titled(heading, (FONT, 22)).map_err(PlotError::of(what))?;
        for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
            draw(area, panel)?;
        }
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}

fn draw_scatter(area: &Area<'_>, panel: &Panel, (low, high): (f64, f64)) -> Result<(), PlotError> {
    let what = "a scatter plot";
    let mut chart = chart(area, panel)
        .build_cartesian_2d(log_axis(low..high), log_axis(low..high))
        .map_err(PlotError::of(what))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("measured, ms")
        .y_desc("predicted, ms")
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .label_style((FONT, 13))
        .draw()
        .map_err(PlotError::of(what))?;
    let diagonal = LineSeries::new([(low, low), (high, high)], BLACK.mix(0.5));
    chart.draw_series(diagonal).map_err(PlotError::of(what))?;
    let points = panel.measured.iter().zip(&panel.predicted);
    let dots = points.map(|(m, p)| Circle::new((*m, p.clamp(low, high)), 2, COLOURS[0].mix(0.6).filled()));
    chart.draw_series(dots).map_err(PlotError::of(what))?;
    Ok(())
}

fn draw_residuals(area: &Area<'_>, panel: &Panel, (low, high): (f64, f64)) -> Result<(), PlotError> {
    let what = "a plot of residuals";
    let mut chart = chart(area, panel)
        .build_cartesian_2d(log_axis(low..high), -WORST..WORST)
        .map_err(PlotError::of(what))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("measured, ms")
        .y_desc("error, % of the measurement")
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .label_style((FONT, 13))
        .draw()
        .map_err(PlotError::of(what))?;
    let zero = LineSeries::new([(low, 0.0), (high, 0.0)], BLACK.mix(0.5));
    chart.draw_series(zero).map_err(PlotError::of(what))?;
    let points = panel.measured.iter().zip(&panel.predicted);
    let dots = points.map(|(m, p)| {
        let percent = (100.0 * (p - m) / m).clamp(-WORST, WORST);
        Circle::new((*m, percent), 2, COLOURS[1].mix(0.6).filled())
    });
    chart.draw_series(dots).map_err(PlotError::of(what))?;
    Ok(())
}

fn chart<'a, 'b>(area: &'a Area<'b>, panel: &Panel) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut chart = ChartBuilder::on(area);
    chart
        .margin(8)
        .caption(&panel.title, (FONT, 16))
        .x_label_area_size(40)
        .y_label_area_size(52);
    chart
}

/// Ends of an axis that holds every measurement.
fn ends(panels: &[Panel]) -> (f64, f64) {
    let measured = || panels.iter().flat_map(|panel| &panel.measured).copied();
    let (low, high) = (measured().fold(f64::MAX, f64::min), measured().fold(f64::MIN, f64::max));
    if low > high {
        (1.0, 10.0)
    } else {
        (low / 1.2, high * 1.2)
    }
}
