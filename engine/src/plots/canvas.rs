//! Pictures with their headings and remarks.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FONT, PlotError};

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Heights of letters, pixels.
const HEADING: u32 = 19;
const TITLE: u32 = 16;
const REMARK: u32 = 13;

/// Of the line that remarks stand in.
const LINE: u32 = 18;

/// A picture of this size in pixels, as SVG.
pub(super) fn picture(
    size: (u32, u32),
    heading: &str,
    draw: impl FnOnce(&Area<'_>) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let what = "a picture";
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(PlotError::of(what))?;
        draw(&root.titled(heading, (FONT, HEADING)).map_err(PlotError::of(what))?)?;
        root.present().map_err(PlotError::of(what))?;
    }
    Ok(svg)
}

/// What is left of an area below its title.
pub(super) fn titled<'a>(area: &Area<'a>, title: &str) -> Result<Area<'a>, PlotError> {
    area.titled(title, (FONT, TITLE)).map_err(PlotError::of("a title"))
}

/// What is left of an area below a line of remarks. The line is there even where there is nothing to say, so that panels side by
/// side are of one height.
pub(super) fn remarked<'a>(area: &Area<'a>, remarks: impl IntoIterator<Item = String>) -> Result<Area<'a>, PlotError> {
    let (line, rest) = area.split_vertically(LINE);
    let remarks = remarks.into_iter().collect::<Vec<_>>().join("; ");
    if !remarks.is_empty() {
        let colour = BLACK.mix(0.7);
        let style = TextStyle::from((FONT, REMARK).into_font()).color(&colour);
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        let (width, height) = line.dim_in_pixel();
        line.draw_text(&remarks, &style, (width as i32 / 2, height as i32 / 2))
            .map_err(PlotError::of("remarks"))?;
    }
    Ok(rest)
}
