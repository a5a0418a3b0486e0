//! Bars for what a whole consists of, and dots for what changes of it would save.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::canvas::{Area, picture, remarked, titled};
use super::frame::{Chart, Frame};
use super::legend::legend;
use super::remarks::values_outside;
use super::{COLOURS, ErrorBars, FONT, PlotError, colours};

/// A part of the whole, itself of several kinds.
pub struct Bar {
    /// As it stands on the left of the bar.
    pub name: String,
    /// Number of the kind, and what it takes.
    pub pieces: Vec<(usize, f64)>,
}

/// A difference, above 0, with the interval that it lies in.
pub struct Difference {
    /// As it stands on the left of its row.
    pub name: String,
    /// The difference, in the unit of the picture.
    pub value: f64,
    /// Lower and upper end, in the same unit; `None` where it is not known.
    pub interval: Option<(f64, f64)>,
}

/// Two panels.
pub struct Bars<'a> {
    /// The line above both panels.
    pub heading: &'a str,
    /// The unit of all values, such as `ms`.
    pub unit: &'a str,
    /// The names of the kinds; a piece has its place here as its number.
    pub kinds: &'a [&'a str],
    /// The bars of the panel on the left, from top to bottom.
    pub parts: &'a [Bar],
    /// The rows of the panel on the right, from top to bottom.
    pub differences: &'a [Difference],
    /// What the intervals of the differences are; without it none are drawn.
    pub error_bars: Option<ErrorBars>,
}

/// Height of a bar with the room around it, pixels.
const ROW: u32 = 18;
/// Of what surrounds the bars.
const FRAME: u32 = 150;
const WIDTH: u32 = 1200;
/// Where the second panel begins.
const HALF: u32 = 560;

/// Parts on the left, each a bar of its kinds, pieces below 0 to the left of 0; and differences on the right, on a logarithmic
/// axis, with error bars for their intervals.
pub fn bars(bars: &Bars<'_>) -> Result<String, PlotError> {
    let rows = bars.parts.len().max(bars.differences.len()).max(1) as u32;
    picture((WIDTH, FRAME + ROW * rows), bars.heading, |area| {
        let (left, right) = area.split_horizontally(HALF);
        draw_parts(&left, bars, rows)?;
        draw_differences(&right, bars, rows)
    })
}

fn draw_parts(area: &Area<'_>, bars: &Bars<'_>, rows: u32) -> Result<(), PlotError> {
    let stacked: Vec<Vec<Piece>> = bars.parts.iter().map(stack).collect();
    let ends = || stacked.iter().flatten().flat_map(|piece| [piece.from, piece.to]);
    let (lowest, longest) = (ends().fold(0.0, f64::min), ends().fold(f64::MIN_POSITIVE, f64::max));
    let frame = Frame {
        x: Axis::linear(
            &format!("what each layer takes, {}", bars.unit),
            1.05 * lowest..1.05 * longest,
        ),
        y: Axis::linear("", 0.0..f64::from(rows)),
    };
    let area = legend(&titled(area, frame.x.caption())?, bars.kinds)?;
    let names = bars.parts.iter().map(|bar| bar.name.as_str());
    let mut chart = chart(&area, &frame, names, 150)?;
    for (kind, colour) in colours().take(bars.kinds.len()).enumerate() {
        let rectangles = stacked.iter().enumerate().flat_map(|(row, pieces)| {
            let own = pieces.iter().filter(move |piece| piece.kind == kind);
            let y = height(row, rows);
            own.map(move |piece| {
                let corners = [(piece.from, y - 0.35), (piece.to, y + 0.35)];
                Rectangle::new(corners, colour.mix(0.85).filled())
            })
        });
        chart.draw_series(rectangles).map_err(PlotError::of("parts"))?;
    }
    if lowest < 0.0 {
        let zero = LineSeries::new([(0.0, 0.0), (0.0, f64::from(rows))], BLACK);
        chart.draw_series(zero).map_err(PlotError::of("a line"))?;
    }
    Ok(())
}

/// A piece of a bar, and where it lies.
struct Piece {
    kind: usize,
    from: f64,
    to: f64,
}

/// Pieces above 0 one after another to the right of it, those below 0 to the left.
fn stack(bar: &Bar) -> Vec<Piece> {
    let (mut left, mut right) = (0.0, 0.0);
    let pieces = bar.pieces.iter().map(|(kind, value)| {
        let end = if *value < 0.0 { &mut left } else { &mut right };
        let from = *end;
        *end += value;
        Piece {
            kind: *kind,
            from,
            to: *end,
        }
    });
    pieces.collect()
}

fn draw_differences(area: &Area<'_>, bars: &Bars<'_>, rows: u32) -> Result<(), PlotError> {
    let differences = || bars.differences.iter().enumerate();
    let intervals = differences().filter(|_| bars.error_bars.is_some());
    let intervals = intervals.filter_map(|(row, one)| {
        let (low, high) = one.interval?;
        Some([low, high].map(|end| (end, height(row, rows))))
    });
    let intervals: Vec<[(f64, f64); 2]> = intervals.collect();
    let ends = || intervals.iter().flatten().map(|end| end.0);
    let values = bars.differences.iter().map(|one| one.value);
    let caption = format!("what single changes save, {}", bars.unit);
    let frame = Frame {
        x: Axis::logarithmic(&caption, values, ends()),
        y: Axis::linear("", 0.0..f64::from(rows)),
    };
    let outside: Vec<f64> = ends().filter(|end| !frame.x.holds(*end)).collect();
    let remarks = bars.error_bars.map(ErrorBars::remark);
    let remarks = remarks.into_iter().chain(values_outside(&outside));
    let area = remarked(&titled(area, frame.x.caption())?, remarks)?;
    let names = bars.differences.iter().map(|one| one.name.as_str());
    let mut chart = chart(&area, &frame, names, 300)?;
    frame.error_bars(&mut chart, &intervals, COLOURS[0].stroke_width(2))?;
    let dots = differences().map(|(row, one)| (one.value, height(row, rows)));
    frame.dots(&mut chart, dots, 4, COLOURS[0].to_rgba())
}

/// Where the middle of a row is, the first on top.
fn height(row: usize, rows: u32) -> f64 {
    f64::from(rows) - row as f64 - 0.5
}

/// A chart with a name for each row on its left, in so many pixels.
fn chart<'a, 'b>(
    area: &'a Area<'b>,
    frame: &Frame,
    names: impl Iterator<Item = &'a str>,
    room: u32,
) -> Result<Chart<'a, 'b>, PlotError> {
    let what = "axes of bars";
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(room)
        .build_cartesian_2d(frame.x.clone(), frame.y.clone())
        .map_err(PlotError::of(what))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .label_style((FONT, 13))
        .draw()
        .map_err(PlotError::of(what))?;
    let style = TextStyle::from((FONT, 13).into_font()).pos(Pos::new(HPos::Right, VPos::Center));
    let rows = frame.y.range().end as u32;
    for (row, name) in names.enumerate() {
        let (x, y) = chart.backend_coord(&(frame.x.range().start, height(row, rows)));
        let (left, top) = area.get_base_pixel();
        area.draw_text(name, &style, (x - left - 6, y - top))
            .map_err(PlotError::of(what))?;
    }
    Ok(chart)
}

#[cfg(test)]
mod tests {
    use super::super::drawn::Drawn;
    use super::*;

    fn drawn(pieces: &[(usize, f64)], intervals: &[Option<(f64, f64)>], error_bars: Option<ErrorBars>) -> Drawn {
        let differences = intervals.iter().enumerate().map(|(at, interval)| Difference {
            name: format!("change {at}"),
            value: 10.0,
            interval: *interval,
        });
        let svg = bars(&Bars {
            heading: "100 ms on xeon-1t",
            unit: "ms",
            kinds: &["expand", "add"],
            parts: &[Bar {
                name: "block 1, layer 1".into(),
                pieces: pieces.into(),
            }],
            differences: &differences.collect::<Vec<_>>(),
            error_bars,
        });
        Drawn(svg.expect("a picture"))
    }

    /// Pieces below 0 were drawn as 0: the parts looked as if they added up to more than the whole.
    #[test]
    fn a_piece_below_0_lies_left_of_0() {
        let drawn = drawn(&[(0, 5.0), (1, -2.0)], &[], None);
        // Behind the background and the samples of both kinds.
        let [.., above, below] = drawn.rectangles()[..] else {
            panic!("two pieces: {}", drawn.0);
        };
        assert_eq!(below.1, above.0, "they meet at 0");
        let length = |(from, to): (f64, f64)| to - from;
        assert!(
            (length(above) / length(below) - 2.5).abs() < 0.05,
            "{above:?} {below:?}"
        );
        assert!(drawn.says("-2"), "{}", drawn.0);
    }

    /// The axis was made for the savings alone, and their intervals ended at the frame.
    #[test]
    fn intervals_are_drawn_to_their_ends_or_marked() {
        let intervals = [Some((3.0, 60.0)), Some((-1.0, 12.0)), None];
        let drawn = drawn(&[(0, 5.0)], &intervals, Some(ErrorBars::Interval(0.9)));
        let bars = drawn.segments();
        let [[first_low, first_high], [second_low, _]] = bars[..] else {
            panic!("two intervals: {bars:?}");
        };
        let dot = drawn.dots()[0];
        let reach = (first_high.0 - dot.0) / (dot.0 - first_low.0);
        let expected = (60.0f64 / 10.0).ln() / (10.0f64 / 3.0).ln();
        assert!((reach - expected).abs() < 0.05, "{bars:?}");
        assert!(second_low.0 < first_low.0, "{bars:?}");
        let triangles = drawn.triangles();
        assert!(
            matches!(triangles[..], [[tip, ..]] if tip == second_low),
            "{triangles:?}"
        );
        assert!(drawn.says("error bars: 90 % interval; 1 outside: -1"), "{}", drawn.0);
        assert!(drawn.says("what single changes save, ms (logarithmic)"), "{}", drawn.0);
    }

    #[test]
    fn without_their_name_no_intervals_are_drawn() {
        let drawn = drawn(&[(0, 5.0)], &[Some((3.0, 60.0))], None);
        assert!(drawn.segments().is_empty() && !drawn.0.contains("error bars"));
    }
}
