//! Plots as SVG: for reports, where people look rather than read.

mod axis;
mod bars;
mod canvas;
#[cfg(test)]
mod drawn;
mod frame;
mod histogram;
mod legend;
mod lines;
mod panels;
mod reliability;
mod remarks;

pub use bars::{Bar, Bars, Difference, bars};
pub use histogram::{Distribution, histogram};
pub use lines::{Curves, Series, lines};
pub use panels::{Panel, residuals, scatter};
pub use reliability::{Held, reliability};
pub use remarks::ErrorBars;

use plotters::style::RGBColor;

/// A plot that could not be drawn: a bug, since nothing but memory is drawn on.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {what}: {problem}")]
pub struct PlotError {
    what: &'static str,
    problem: String,
}

impl PlotError {
    fn of<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |problem| Self {
            what,
            problem: problem.to_string(),
        }
    }
}

/// Colours that differ also to the colour-blind (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

/// The colour of each thing that is drawn; from the eighth on they come again.
fn colours() -> impl Iterator<Item = RGBColor> {
    COLOURS.into_iter().cycle()
}

/// Whether the thing of a number has a colour that another one has before it: it is dashed, or not filled.
fn comes_again(number: usize) -> bool {
    number >= COLOURS.len()
}

const FONT: &str = "sans-serif";
