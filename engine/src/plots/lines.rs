//! Curves on logarithmic axes, with error bars.

use std::iter::empty;

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::{picture, remarked};
use super::frame::Frame;
use super::legend::legend;
use super::remarks::values_outside;
use super::{ErrorBars, PlotError, colours, comes_again};

/// A curve.
pub struct Series {
    /// As the legend has it.
    pub name: String,
    /// Place, value and half the length of its error bar.
    pub points: Vec<(f64, f64, f64)>,
}

/// Curves over one another.
pub struct Curves<'a> {
    /// The line above the chart.
    pub heading: &'a str,
    /// What places are, with the unit.
    pub x: &'a str,
    /// What values are, with the unit.
    pub y: &'a str,
    /// What error bars show; without it none are drawn.
    pub error_bars: Option<ErrorBars>,
    /// The curves, in the order of the legend; from the eighth on they are dashed, in colours that come again.
    pub series: &'a [Series],
}

const SIZE: (u32, u32) = (900, 480);

/// Of the curves of a colour that comes again, pixels.
const DASH: u32 = 7;
const GAP: u32 = 4;

/// Draws curves on axes that fit their points, and their error bars up to ten times beyond these.
pub fn lines(curves: &Curves<'_>) -> Result<String, PlotError> {
    let points = || curves.series.iter().flat_map(|series| &series.points);
    let bars = |series: &Series| -> Vec<[(f64, f64); 2]> {
        let drawn = series.points.iter().filter(|_| curves.error_bars.is_some());
        let drawn = drawn.filter(|(_, _, half)| *half > 0.0);
        drawn.map(|(x, y, half)| [(*x, y - half), (*x, y + half)]).collect()
    };
    let ends = || curves.series.iter().flat_map(bars).flatten();
    let frame = Frame {
        x: Axis::logarithmic(curves.x, points().map(|point| point.0), empty()),
        y: Axis::logarithmic(curves.y, points().map(|point| point.1), ends().map(|end| end.1)),
    };
    let marks = points().map(|(x, y, _)| (*x, *y)).chain(ends());
    let outside: Vec<f64> = marks.filter(|mark| !frame.holds(*mark)).map(|mark| mark.1).collect();
    let remarks = curves.error_bars.map(ErrorBars::remark);
    let remarks = remarks.into_iter().chain(values_outside(&outside));
    picture(SIZE, curves.heading, |area| {
        let names: Vec<&str> = curves.series.iter().map(|series| series.name.as_str()).collect();
        let area = legend(&remarked(area, remarks)?, &names)?;
        let mut chart = frame.chart(&area)?;
        for (number, (series, colour)) in curves.series.iter().zip(colours()).enumerate() {
            frame.error_bars(&mut chart, &bars(series), colour.mix(0.5).stroke_width(2))?;
            let points = || series.points.iter().map(|(x, y, _)| (*x, *y));
            let line = points().map(|point| frame.nearest(point));
            let style = colour.stroke_width(2);
            let drawn = match comes_again(number) {
                true => chart
                    .draw_series(DashedLineSeries::new(line, DASH, GAP, style))
                    .map(drop),
                false => chart.draw_series(LineSeries::new(line, style)).map(drop),
            };
            drawn.map_err(PlotError::of("curves"))?;
            frame.dots(&mut chart, points(), 3, colour.to_rgba())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::drawn::Drawn;
    use super::*;

    fn drawn(error_bars: Option<ErrorBars>, points: &[(f64, f64, f64)]) -> Drawn {
        let curves = Curves {
            heading: "Error by number of measurements",
            x: "architectures",
            y: "MAPE, %",
            error_bars,
            series: &[Series {
                name: "chosen".into(),
                points: points.into(),
            }],
        };
        Drawn(lines(&curves).expect("a picture"))
    }

    /// The axis was made for the means alone, so that the longest error bars ended at the frame, and looked shorter than they were.
    #[test]
    fn error_bars_lie_within_the_frame() {
        let points = [(10.0, 14.0, 7.0), (20.0, 6.0, 0.5), (50.0, 3.0, 1.5)];
        let drawn = drawn(Some(ErrorBars::StandardDeviation), &points);
        let (edges, bars) = (drawn.edges(), drawn.segments());
        assert_eq!(bars.len(), 3);
        for [low, high] in &bars {
            assert!(high.1 > edges.top && low.1 < edges.bottom, "{bars:?} in {edges:?}");
        }
        assert!(drawn.triangles().is_empty() && !drawn.0.contains("outside"));
        assert!(drawn.says("error bars: ± one standard deviation"));
    }

    #[test]
    fn an_error_bar_to_below_0_is_marked() {
        let points = [(10.0, 4.0, 6.0), (20.0, 3.0, 1.0), (50.0, 2.0, 0.0)];
        let drawn = drawn(Some(ErrorBars::StandardError), &points);
        let (edges, triangles) = (drawn.edges(), drawn.triangles());
        assert!(
            matches!(triangles[..], [[tip, ..]] if tip.1 == edges.bottom),
            "{triangles:?}"
        );
        assert!(
            drawn.says("error bars: ± one standard error; 1 outside: -2"),
            "{}",
            drawn.0
        );
        assert_eq!(drawn.segments().len(), 2, "one of length 0 is none");
    }

    #[test]
    fn without_their_name_no_error_bars_are_drawn() {
        let drawn = drawn(None, &[(10.0, 14.0, 7.0), (20.0, 6.0, 0.5), (50.0, 3.0, 1.5)]);
        assert!(drawn.segments().is_empty() && !drawn.0.contains("error bars"));
        assert!(drawn.says("architectures (logarithmic)") && drawn.says("MAPE, % (logarithmic)"));
    }

    /// There are seven colours, and the eighth curve was left out.
    #[test]
    fn every_curve_is_drawn() {
        let names: Vec<String> = (0..9).map(|at| format!("recipe {at}")).collect();
        let series = names.iter().map(|name| Series {
            name: name.clone(),
            points: vec![(10.0, 3.0, 0.0)],
        });
        let series: Vec<Series> = series.collect();
        let curves = Curves {
            heading: "Error by number of measurements",
            x: "architectures",
            y: "MAPE, %",
            error_bars: None,
            series: &series,
        };
        let drawn = Drawn(lines(&curves).expect("a picture"));
        assert!(names.iter().all(|name| drawn.says(name)), "{}", drawn.0);
        assert_eq!(drawn.dots().len(), 9);
    }

    /// A front's networks that score 0 or less were left out of its picture without a word.
    #[test]
    fn points_of_0_or_less_are_marked() {
        let drawn = drawn(None, &[(10.0, -3.0, 0.0), (20.0, 0.0, 0.0), (50.0, 3.0, 0.0)]);
        assert_eq!((drawn.dots().len(), drawn.triangles().len()), (1, 2));
        assert!(drawn.says("2 outside: -3 to 0"), "{}", drawn.0);
    }
}
