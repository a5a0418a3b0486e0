//! Bars for what a whole consists of, and dots for what changes of it would save.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{COLOURS, FONT, PlotError, legend, log_axis, tick};

/// A part of the whole, itself of several kinds.
pub struct Bar {
    pub name: String,
    /// Number of the kind, and what it takes.
    pub pieces: Vec<(usize, f64)>,
}

/// A difference, above 0, with the interval that it lies in.
pub struct Difference {
    pub name: String,
    pub value: f64,
    pub interval: Option<(f64, f64)>,
}

/// Two panels.
pub struct Bars<'a> {
    pub heading: &'a str,
    pub unit: &'a str,
    /// As many as there are colours at most.
    pub kinds: &'a [&'a str],
    pub parts: &'a [Bar],
    pub differences: &'a [Difference],
}

/// Height of a bar with the room around it, pixels.
const ROW: u32 = 18;
/// Of what surrounds the bars.
const FRAME: u32 = 130;
const WIDTH: u32 = 1200;
/// Where the second panel begins.
const HALF: u32 = 560;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b, X> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, RangedCoordf64>>;

/// Parts on the left, each a bar of its kinds, and differences on the right, on a logarithmic axis, with whiskers for their intervals.
pub fn bars(bars: &Bars<'_>) -> Result<String, PlotError> {
    let what = "bars";
    let rows = bars.parts.len().max(bars.differences.len()).max(1) as u32;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, FRAME + ROW * rows)).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        let root = root.titled(bars.heading, (FONT, 20)).map_err(PlotError::of(what))?;
        let (left, right) = root.split_horizontally(HALF);
        draw_parts(&left, bars, rows)?;
        draw_differences(&right, bars, rows)?;
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}

fn draw_parts(area: &Area<'_>, bars: &Bars<'_>, rows: u32) -> Result<(), PlotError> {
    let what = "parts";
    let whole = |bar: &Bar| bar.pieces.iter().map(|(_, value)| value.max(0.0)).sum::<f64>();
    let longest = bars.parts.iter().map(whole).fold(f64::MIN_POSITIVE, f64::max);
    let names: Vec<&str> = bars.parts.iter().map(|bar| bar.name.as_str()).collect();
    let caption = format!("what takes the time, {}", bars.unit);
    let mut chart = chart(area, &caption, 0.0..1.05 * longest, 0.0, rows, &names, 150)?;
    for (kind, (name, colour)) in bars.kinds.iter().zip(COLOURS).enumerate() {
        let rectangles = bars.parts.iter().enumerate().flat_map(|(row, bar)| {
            let mut begin = 0.0;
            bar.pieces.iter().filter_map(move |(own, value)| {
                let ends = (begin, begin + value.max(0.0));
                begin = ends.1;
                (*own == kind).then(|| filled(row, ends, colour.mix(0.85).filled()))
            })
        });
        chart
            .draw_series(rectangles)
            .map_err(PlotError::of(what))?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

fn draw_differences(area: &Area<'_>, bars: &Bars<'_>, rows: u32) -> Result<(), PlotError> {
    let what = "differences";
    let values = || bars.differences.iter().map(|one| one.value);
    let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
    let range = if low > high { 1.0..10.0 } else { low / 1.5..high * 1.5 };
    let names: Vec<&str> = bars.differences.iter().map(|one| one.name.as_str()).collect();
    let caption = format!("what single changes save, {}", bars.unit);
    let mut chart = chart(area, &caption, log_axis(range.clone()), range.start, rows, &names, 300)?;
    let whiskers = bars.differences.iter().enumerate().filter_map(|(row, one)| {
        let (low, high) = one.interval?;
        let ends = [low, high].map(|end| (end.clamp(range.start, range.end), row as f64 + 0.5));
        Some(PathElement::new(ends, COLOURS[0].stroke_width(2)))
    });
    chart.draw_series(whiskers).map_err(PlotError::of(what))?;
    let dots = bars.differences.iter().enumerate();
    let dots = dots.map(|(row, one)| Circle::new((one.value, row as f64 + 0.5), 4, COLOURS[0].filled()));
    chart.draw_series(dots).map_err(PlotError::of(what))?;
    Ok(())
}

fn filled(row: usize, (from, to): (f64, f64), style: ShapeStyle) -> Rectangle<(f64, f64)> {
    Rectangle::new([(from, row as f64 + 0.15), (to, row as f64 + 0.85)], style)
}

/// Axes with a row for each name, the first on top; names stand before `start`.
fn chart<'a, 'b, X>(
    area: &'a Area<'b>,
    caption: &str,
    axis: X,
    start: f64,
    rows: u32,
    names: &[&str],
    room: u32,
) -> Result<Chart<'a, 'b, X::CoordDescType>, PlotError>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let what = "axes of bars";
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .caption(caption, (FONT, 16))
        .x_label_area_size(34)
        .y_label_area_size(room)
        .build_cartesian_2d(axis, f64::from(rows)..0.0)
        .map_err(PlotError::of(what))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(WHITE)
        .x_label_formatter(&|v| tick(*v))
        .label_style((FONT, 13))
        .draw()
        .map_err(PlotError::of(what))?;
    let style = TextStyle::from((FONT, 13).into_font()).pos(Pos::new(HPos::Right, VPos::Center));
    for (row, name) in names.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(start, row as f64 + 0.5));
        let (left, top) = area.get_base_pixel();
        area.draw_text(name, &style, (x - left - 6, y - top))
            .map_err(PlotError::of(what))?;
    }
    Ok(chart)
}
