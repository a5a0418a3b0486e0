//! Curves on logarithmic axes, with deviations.

use std::ops::Range;

use plotters::prelude::*;

use super::{COLOURS, FONT, PlotError, legend, log_axis, tick};

/// A curve.
pub struct Series {
    pub name: String,
    /// Place, mean and deviation.
    pub points: Vec<(f64, f64, f64)>,
}

/// Curves with whiskers of one deviation; what lies beyond the range of the y axis, which begins above 0, is drawn at its end.
pub fn lines(
    heading: &str,
    x_description: &str,
    y_description: &str,
    y_range: Range<f64>,
    series: &[Series],
) -> Result<String, PlotError> {
    let what = "curves";
    let places = || series.iter().flat_map(|s| &s.points).map(|point| point.0);
    let (low, high) = (places().fold(f64::MAX, f64::min), places().fold(f64::MIN, f64::max));
    let (low, high) = if low > high {
        (1.0, 10.0)
    } else {
        // Room for the legend beside the curves.
        (low / 1.15, high * 2.5)
    };
    let clamp = |y: f64| y.clamp(y_range.start, y_range.end);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 460)).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .caption(heading, (FONT, 20))
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(log_axis(low..high), log_axis(y_range.clone()))
            .map_err(PlotError::of(what))?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc(x_description)
            .y_desc(y_description)
            .x_label_formatter(&|v| tick(*v))
            .y_label_formatter(&|v| tick(*v))
            .label_style((FONT, 14))
            .draw()
            .map_err(PlotError::of(what))?;
        for (series, colour) in series.iter().zip(COLOURS) {
            let line = series.points.iter().map(|(x, mean, _)| (*x, clamp(*mean)));
            chart
                .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)).point_size(3))
                .map_err(PlotError::of(what))?
                .label(&series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
            let whiskers = series.points.iter().map(|(x, mean, deviation)| {
                let ends = [(*x, clamp(mean - deviation)), (*x, clamp(mean + deviation))];
                PathElement::new(ends, colour.mix(0.6))
            });
            chart.draw_series(whiskers).map_err(PlotError::of(what))?;
        }
        legend(&mut chart, SeriesLabelPosition::MiddleRight)?;
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}
