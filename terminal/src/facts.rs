//! What is to be said of one thing: a line for each fact.

use std::fmt;

use crate::grid::{Cell, Grid, terminal_width};

/// Lines `name: value`, the values below one another.
#[derive(Default)]
pub struct Facts(Vec<(String, Cell)>);

impl Facts {
    /// Names and values, in the order of their lines; the colons come by themselves.
    pub fn of<N: Into<String>>(facts: impl IntoIterator<Item = (N, Cell)>) -> Self {
        Self(facts.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Adds a fact as the last line.
    pub fn push(&mut self, name: &str, value: impl Into<Cell>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Pushes a fact where it is known.
    pub fn push_any(&mut self, name: &str, value: Option<impl Into<Cell>>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// As they are shown on a terminal of so many columns; `None` for what is none.
    pub fn within(&self, width: Option<u16>) -> String {
        let rows = self.0.iter();
        let grid = Grid {
            rows: rows
                .map(|(name, value)| vec![Cell::head(&format!("{name}:")), value.clone()])
                .collect(),
            right: Vec::new(),
        };
        match width.filter(|width| grid.fits(*width)) {
            Some(width) => grid.within(width),
            None => grid.at_ease(),
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.within(terminal_width()))
    }
}
