//! Tables for people.

use std::fmt;

use crate::facts::Facts;
use crate::grid::{Cell, Grid, terminal_width};

/// Rows below the heads of their columns. Words are never cut: where the terminal has no room for the longest of each column, a
/// row becomes a block of lines `head: value`.
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<Cell>>,
    /// Columns of numbers.
    right: Vec<usize>,
    open: bool,
}

/// A table with the given heads, which has no rows yet.
pub fn table(heads: &[&str]) -> Table {
    Table {
        heads: heads.iter().map(|&head| head.to_owned()).collect(),
        rows: Vec::new(),
        right: Vec::new(),
        open: false,
    }
}

impl Table {
    /// Adds a row below the others: a cell for each head.
    pub fn add_row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Aligns columns, counted from 0, as numbers are.
    pub fn with_numbers(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.right.extend(columns);
        self
    }

    /// Lets the last column, of architectures, run over the terminal's edge: a text to be copied stays in one line, and so do
    /// the numbers before it.
    pub fn with_open_end(mut self) -> Self {
        self.open = true;
        self
    }

    fn grid(&self) -> Grid {
        let heads = self.heads.iter().map(|head| Cell::head(&head.to_uppercase())).collect();
        Grid {
            rows: std::iter::once(heads).chain(self.rows.iter().cloned()).collect(),
            right: self.right.clone(),
        }
    }

    fn records(&self, width: u16) -> String {
        let record = |row: &Vec<Cell>| {
            let facts = self.heads.iter().zip(row.iter().cloned());
            Facts::of(facts.filter(|(_, cell)| !cell.is_empty())).within(Some(width))
        };
        let records: Vec<String> = self.rows.iter().map(record).collect();
        records.join("\n\n")
    }

    /// As it is shown on a terminal of so many columns; `None` for what is none.
    fn within(&self, width: Option<u16>) -> String {
        let grid = self.grid();
        match width {
            Some(width) if grid.fits(width) => grid.within(width),
            Some(width) if !self.open && !self.rows.is_empty() => self.records(width),
            _ => grid.at_ease(),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.within(terminal_width()))
    }
}

/// Prints indented JSON.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The first characters of a digest, enough to tell versions apart.
pub fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Table {
        let mut rows = table(&["hardware", "machine", "reference ms"]).with_numbers([2]);
        rows.add_row(["xeon-1t", "Intel(R) Xeon(R) Processor", "9.31"]);
        rows.add_row(["epyc", "", "12.50"]);
        rows
    }

    /// At 80 columns `onnxruntime` had become `onnxrunti` and `me`.
    #[test]
    fn words_are_wrapped_and_never_cut() {
        assert_eq!(
            targets().within(None),
            " HARDWARE  MACHINE                     REFERENCE MS\n \
             xeon-1t   Intel(R) Xeon(R) Processor          9.31\n \
             epyc                                         12.50"
        );
        for width in 33..52 {
            let shown = targets().within(Some(width));
            let words = shown.split_whitespace().collect::<Vec<_>>();
            for word in [
                "HARDWARE",
                "MACHINE",
                "REFERENCE",
                "Intel(R)",
                "Processor",
                "xeon-1t",
                "12.50",
            ] {
                assert!(words.contains(&word), "{width} columns: {word} in\n{shown}");
            }
            assert!(
                shown.lines().all(|line| line.len() <= usize::from(width)),
                "{width} columns:\n{shown}"
            );
        }
    }

    #[test]
    fn rows_become_records_where_the_words_have_no_room() {
        assert_eq!(
            targets().within(Some(31)),
            " hardware:      xeon-1t\n \
             machine:       Intel(R)\n                \
             Xeon(R)\n                \
             Processor\n \
             reference ms:  9.31\n\n \
             hardware:      epyc\n \
             reference ms:  12.50"
        );
        assert_eq!(
            table(&["hardware", "production"]).within(Some(8)),
            " HARDWARE  PRODUCTION"
        );
    }

    #[test]
    fn architectures_stay_in_one_line_with_their_numbers() {
        let mut rows = table(&["ms", "interval", "architecture"]).with_open_end();
        rows.add_row(["9.3", "8.1 to 10.5", "mobilenetv3@320/s2-k3e3/s2-k3e3"]);
        assert_eq!(
            rows.within(Some(30)),
            " MS   INTERVAL     ARCHITECTURE\n 9.3  8.1 to 10.5  mobilenetv3@320/s2-k3e3/s2-k3e3"
        );
    }

    #[test]
    fn cells_command_no_terminal() {
        let mut rows = table(&["why"]);
        rows.add_row(["\x1b[2Jslow\npromoted"]);
        assert_eq!(rows.within(None), " WHY\n \\u{1b}[2Jslow\\u{a}promoted");
    }
}
