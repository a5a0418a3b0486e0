//! Reliability diagrams: the share of measurements that intervals of a coverage hold, against that coverage.

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::{picture, remarked};
use super::frame::Frame;
use super::remarks::values_outside;
use super::{COLOURS, ErrorBars, PlotError};

/// A share held by intervals that were to hold another one, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The share that the intervals were to hold: their coverage.
    pub asked: f64,
    /// The share that they held, in the mean over several test parts.
    pub mean: f64,
    /// Half the length of the error bar of the mean, a share as well.
    pub deviation: f64,
}

const SIZE: (u32, u32) = (480, 500);

/// Shares with their error bars, and the diagonal on which they would lie.
pub fn reliability(heading: &str, error_bars: ErrorBars, shares: &[Held]) -> Result<String, PlotError> {
    let percent = |share: f64| 100.0 * share;
    let frame = Frame {
        x: Axis::linear("coverage that was asked for, %", 0.0..100.0),
        y: Axis::linear("measurements within the interval, %", 0.0..100.0),
    };
    let bars = shares.iter().map(|held| {
        let ends = [held.mean - held.deviation, held.mean + held.deviation];
        ends.map(|end| (percent(held.asked), percent(end)))
    });
    let bars: Vec<[(f64, f64); 2]> = bars.collect();
    let ends = bars.iter().flatten().filter(|end| !frame.holds(**end));
    let outside: Vec<f64> = ends.map(|end| end.1).collect();
    picture(SIZE, heading, |area| {
        let remarks = [error_bars.remark()].into_iter().chain(values_outside(&outside));
        let area = remarked(area, remarks)?;
        let mut chart = frame.chart(&area)?;
        let diagonal = LineSeries::new([(0.0, 0.0), (100.0, 100.0)], BLACK.mix(0.5));
        chart.draw_series(diagonal).map_err(PlotError::of("a diagonal"))?;
        frame.error_bars(&mut chart, &bars, COLOURS[0].stroke_width(1))?;
        let dots = shares.iter().map(|held| (percent(held.asked), percent(held.mean)));
        frame.dots(&mut chart, dots, 3, COLOURS[0].to_rgba())
    })
}

#[cfg(test)]
mod tests {
    use super::super::drawn::Drawn;
    use super::*;

    #[test]
    fn error_bars_are_named_and_marked_where_they_pass_all() {
        let held = |asked, mean, deviation| Held { asked, mean, deviation };
        let shares = [held(0.5, 0.48, 0.05), held(0.98, 0.99, 0.03)];
        let svg = reliability("lglp on xeon-1t", ErrorBars::StandardDeviation, &shares);
        let drawn = Drawn(svg.expect("a picture"));
        assert_eq!((drawn.dots().len(), drawn.triangles().len()), (2, 1));
        let remark = "error bars: ± one standard deviation; 1 outside: 102";
        assert!(drawn.says(remark), "{}", drawn.0);
    }
}
