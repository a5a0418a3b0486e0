//! The names of what is drawn, with their colours, between heading and chart, where they hide nothing.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::Area;
use super::{FONT, PlotError, colours, comes_again};

/// Height of letters, pixels.
const LETTERS: u32 = 14;

/// Of a line of names, pixels.
const LINE: i32 = 20;

/// Side of the square before a name, pixels.
const SQUARE: i32 = 10;

/// Of the square and the room behind it, and of the room behind the name, pixels.
const SAMPLE: i32 = 16;
const GAP: i32 = 16;

struct Line<'a> {
    /// Names, with the place where each begins, and how its square is drawn.
    names: Vec<(i32, &'a str, ShapeStyle)>,
    end: i32,
}

/// What is left of an area below these names, which have the colours in their order.
pub(super) fn legend<'a>(area: &Area<'a>, names: &[impl AsRef<str>]) -> Result<Area<'a>, PlotError> {
    let what = "a legend";
    let style = TextStyle::from((FONT, LETTERS).into_font()).pos(Pos::new(HPos::Left, VPos::Center));
    let width = area.dim_in_pixel().0 as i32;
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (number, (name, colour)) in names.iter().zip(colours()).enumerate() {
        let name = name.as_ref();
        let square = match comes_again(number) {
            true => colour.stroke_width(2),
            false => colour.filled(),
        };
        let (text, _) = area.estimate_text_size(name, &style).map_err(PlotError::of(what))?;
        let length = SAMPLE + text as i32 + GAP;
        match lines.last_mut() {
            Some(line) if line.end + length <= width => {
                line.names.push((line.end, name, square));
                line.end += length;
            }
            _ => lines.push(Line {
                names: vec![(0, name, square)],
                end: length,
            }),
        }
    }
    let (above, rest) = area.split_vertically(LINE * lines.len() as i32);
    for (number, line) in lines.iter().enumerate() {
        let middle = LINE * number as i32 + LINE / 2;
        for (begin, name, square) in &line.names {
            let left = (width - line.end + GAP) / 2 + begin;
            let corners = [(left, middle - SQUARE / 2), (left + SQUARE, middle + SQUARE / 2)];
            let square = Rectangle::new(corners, *square);
            above.draw(&square).map_err(PlotError::of(what))?;
            above
                .draw_text(name, &style, (left + SAMPLE, middle))
                .map_err(PlotError::of(what))?;
        }
    }
    Ok(rest)
}
