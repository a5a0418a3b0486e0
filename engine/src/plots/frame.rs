//! Two axes, and marks between them: what lies outside is drawn as an open triangle at the edge.

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::Area;
use super::{FONT, PlotError};

pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Of numbers and captions.
const LETTERS: u32 = 13;

/// Of a triangle, pixels.
const HEIGHT: i32 = 7;
const HALF_BASE: i32 = 4;

/// The axes of a chart.
pub(super) struct Frame {
    pub x: Axis,
    pub y: Axis,
}

impl Frame {
    /// A chart with a line for each number on the axes.
    pub(super) fn chart<'a, 'b>(&self, area: &'a Area<'b>) -> Result<Chart<'a, 'b>, PlotError> {
        let what = "axes";
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(self.x.clone(), self.y.clone())
            .map_err(PlotError::of(what))?;
        chart
            .configure_mesh()
            .x_desc(self.x.caption())
            .y_desc(self.y.caption())
            .label_style((FONT, LETTERS))
            .draw()
            .map_err(PlotError::of(what))?;
        Ok(chart)
    }

    pub(super) fn holds(&self, (x, y): (f64, f64)) -> bool {
        self.x.holds(x) && self.y.holds(y)
    }

    pub(super) fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.nearest(x), self.y.nearest(y))
    }

    /// A dot of this radius in pixels for each point inside, a triangle for each outside.
    pub(super) fn dots(
        &self,
        chart: &mut Chart<'_, '_>,
        points: impl Iterator<Item = (f64, f64)>,
        radius: i32,
        colour: RGBAColor,
    ) -> Result<(), PlotError> {
        let (inside, outside): (Vec<_>, Vec<_>) = points.partition(|point| self.holds(*point));
        let dots = inside.into_iter().map(|at| Circle::new(at, radius, colour.filled()));
        chart.draw_series(dots).map_err(PlotError::of("dots"))?;
        self.triangles(chart, outside.into_iter(), colour)
    }

    /// A line from end to end for each bar, with a triangle for each end outside.
    pub(super) fn error_bars(
        &self,
        chart: &mut Chart<'_, '_>,
        bars: &[[(f64, f64); 2]],
        style: ShapeStyle,
    ) -> Result<(), PlotError> {
        let lines = bars
            .iter()
            .map(|ends| PathElement::new(ends.map(|end| self.nearest(end)), style));
        chart.draw_series(lines).map_err(PlotError::of("error bars"))?;
        let outside = bars.iter().flatten().copied().filter(|end| !self.holds(*end));
        self.triangles(chart, outside, style.color)
    }

    /// Triangles within the frame, each with its tip on the edge, towards what lies beyond.
    fn triangles(
        &self,
        chart: &mut Chart<'_, '_>,
        outside: impl Iterator<Item = (f64, f64)>,
        colour: RGBAColor,
    ) -> Result<(), PlotError> {
        let triangles = outside.map(|(x, y)| {
            // Pixels count downwards.
            let (right, down) = (self.x.side(x) as i32, -(self.y.side(y) as i32));
            let corner = |turn: i32| {
                (
                    -HEIGHT * right - turn * HALF_BASE * down,
                    -HEIGHT * down + turn * HALF_BASE * right,
                )
            };
            let outline = [(0, 0), corner(1), corner(-1), (0, 0)];
            EmptyElement::at(self.nearest((x, y))) + PathElement::new(outline, colour.stroke_width(1))
        });
        chart.draw_series(triangles).map_err(PlotError::of("triangles"))?;
        Ok(())
    }
}
