//! Predictions against measurements, a panel for each predictor.

use std::iter::empty;

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::{Area, picture, remarked, titled};
use super::frame::Frame;
use super::remarks::errors_outside;
use super::{COLOURS, PlotError};

/// One predictor's predictions of a test part.
pub struct Panel {
    /// The line above the panel.
    pub title: String,
    /// Milliseconds.
    pub measured: Vec<f64>,
    /// Milliseconds, in the same order.
    pub predicted: Vec<f64>,
}

const COLUMNS: usize = 3;
/// As many as a heading is wide.
const FEWEST_COLUMNS: usize = 2;
const PANEL: (u32, u32) = (400, 360);
const HEADING: u32 = 40;

/// Percent. One predictor that errs by more does not flatten the errors of all others: all have one axis, so that they can be
/// compared.
const LARGEST_ERROR: f64 = 100.0;

/// What all panels have in common.
struct Look {
    frame: Frame,
    /// Where the prediction for a measurement stands.
    height: fn(measured: f64, predicted: f64) -> f64,
    /// Heights of perfect predictions.
    perfect: fn(measured: f64) -> f64,
    colour: RGBColor,
}

/// Predicted against measured latency on logarithmic axes that fit all panels, with the line of perfect prediction.
pub fn scatter(heading: &str, panels: &[Panel]) -> Result<String, PlotError> {
    let predicted = panels.iter().flat_map(|panel| &panel.predicted).copied();
    let y = Axis::logarithmic("predicted, ms", measured(panels), predicted);
    let look = Look {
        frame: Frame { x: across(panels), y },
        height: |_, predicted| predicted,
        perfect: |measured| measured,
        colour: COLOURS[0],
    };
    grid(heading, panels, &look)
}

/// Relative error against measured latency, on an axis that fits all panels but for errors beyond 100 %.
pub fn residuals(heading: &str, panels: &[Panel]) -> Result<String, PlotError> {
    let errors = panels.iter().flat_map(Panel::pairs).map(|(m, p)| percent(m, p));
    let y = Axis::symmetric("error, % of the measurement", errors, LARGEST_ERROR);
    let look = Look {
        frame: Frame { x: across(panels), y },
        height: percent,
        perfect: |_| 0.0,
        colour: COLOURS[1],
    };
    grid(heading, panels, &look)
}

impl Panel {
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.measured.iter().copied().zip(self.predicted.iter().copied())
    }
}

fn measured(panels: &[Panel]) -> impl Iterator<Item = f64> {
    panels.iter().flat_map(|panel| &panel.measured).copied()
}

fn across(panels: &[Panel]) -> Axis {
    Axis::logarithmic("measured, ms", measured(panels), empty())
}

fn percent(measured: f64, predicted: f64) -> f64 {
    100.0 * (predicted - measured) / measured
}

fn grid(heading: &str, panels: &[Panel], look: &Look) -> Result<String, PlotError> {
    let columns = panels.len().clamp(FEWEST_COLUMNS, COLUMNS);
    let rows = panels.len().div_ceil(columns).max(1);
    let size = (PANEL.0 * columns as u32, HEADING + PANEL.1 * rows as u32);
    picture(size, heading, |area| {
        let areas = area.split_evenly((rows, columns));
        let mut places = areas.iter().zip(panels);
        places.try_for_each(|(area, panel)| draw(area, panel, look))
    })
}

fn draw(area: &Area<'_>, panel: &Panel, look: &Look) -> Result<(), PlotError> {
    let Look { frame, height, .. } = look;
    let point = |(m, p): (f64, f64)| (m, height(m, p));
    let outside = panel.pairs().filter(|pair| !frame.holds(point(*pair)));
    let outside: Vec<f64> = outside.map(|(m, p)| percent(m, p)).collect();
    let area = remarked(&titled(area, &panel.title)?, errors_outside(&outside))?;
    let mut chart = frame.chart(&area)?;
    let ends = [frame.x.range().start, frame.x.range().end];
    let perfect = LineSeries::new(ends.map(|m| (m, (look.perfect)(m))), BLACK.mix(0.5));
    chart.draw_series(perfect).map_err(PlotError::of("a line"))?;
    frame.dots(&mut chart, panel.pairs().map(point), 2, look.colour.mix(0.6))
}

#[cfg(test)]
mod tests {
    use super::super::drawn::Drawn;
    use super::*;

    const MEASURED: [f64; 3] = [10.0, 15.0, 20.0];

    fn panel(predicted: [f64; 3]) -> Panel {
        Panel {
            title: "version 2, lglp".into(),
            measured: MEASURED.into(),
            predicted: predicted.into(),
        }
    }

    fn scattered(panels: &[Panel]) -> Drawn {
        Drawn(scatter("Predicted against measured", panels).expect("a picture"))
    }

    fn erring(panels: &[Panel]) -> Drawn {
        Drawn(residuals("Error against measured", panels).expect("a picture"))
    }

    /// The axis of predictions ended 20 % beyond the longest measurement, and a prediction that was 26.5 % too long was drawn as
    /// one that was 20 % too long.
    #[test]
    fn a_prediction_beyond_the_measurements_stands_where_it_belongs() {
        let drawn = scattered(&[panel([10.0, 15.0, 25.3])]);
        let (dots, edges) = (drawn.dots(), drawn.edges());
        assert!(dots.len() == 3 && dots.iter().all(|dot| edges.hold(*dot)), "{dots:?}");
        let rise = |to: usize| dots[0].1 - dots[to].1;
        let expected = (25.3f64 / 10.0).ln() / (15.0f64 / 10.0).ln();
        assert!((rise(2) / rise(1) - expected).abs() < 0.05, "{dots:?}");
        assert!(drawn.triangles().is_empty() && !drawn.0.contains("outside"));
    }

    #[test]
    fn predictions_off_the_axis_are_marked_and_counted() {
        let drawn = scattered(&[panel([-5.0, 500.0, 21.0])]);
        let edges = drawn.edges();
        assert_eq!(drawn.dots().len(), 1);
        let triangles = drawn.triangles();
        assert!(
            triangles.iter().flatten().all(|corner| edges.hold(*corner)),
            "{triangles:?}"
        );
        let tips: Vec<f64> = triangles.iter().map(|[tip, ..]| tip.1).collect();
        assert_eq!(tips, [edges.bottom, edges.top]);
        assert!(drawn.says("2 outside, largest +3233 %"), "{}", drawn.0);
    }

    #[test]
    fn all_panels_have_the_axes_of_the_widest() {
        let panels = || [panel([10.0, 15.0, 20.0]), panel([10.0, 0.0, 60.0])];
        let (narrow, both) = (scattered(&panels()[..1]), scattered(&panels()));
        assert!(!narrow.says("50") && both.0.matches("\n50\n").count() == 2);
        assert_eq!(both.0.matches("outside").count(), 1, "one panel has something outside");
    }

    #[test]
    fn errors_have_an_axis_as_long_as_they_need() {
        let drawn = erring(&[panel([10.4, 15.0, 20.0])]);
        let (dots, edges) = (drawn.dots(), drawn.edges());
        let height = |at: usize| (edges.bottom - dots[at].1) / (edges.bottom - edges.top);
        assert!(
            (0.95..1.0).contains(&height(0)),
            "the largest error is near the end: {dots:?}"
        );
        assert!((height(1) - 0.5).abs() < 0.01, "no error is in the middle: {dots:?}");
        assert!(drawn.triangles().is_empty());
        let drawn = erring(&[panel([-5.0, 70.0, 21.0])]);
        assert_eq!((drawn.dots().len(), drawn.triangles().len()), (1, 2));
        assert!(drawn.says("2 outside, largest +367 %"), "{}", drawn.0);
    }

    #[test]
    fn captions_tell_which_axes_are_logarithmic() {
        let panels = [panel(MEASURED)];
        for (drawn, captions) in [
            (
                scattered(&panels),
                ["measured, ms (logarithmic)", "predicted, ms (logarithmic)"],
            ),
            (
                erring(&panels),
                ["measured, ms (logarithmic)", "error, % of the measurement"],
            ),
        ] {
            for caption in captions {
                assert!(drawn.says(caption), "{caption}: {}", drawn.0);
            }
        }
    }
}
