//! Cells in rows and columns, laid out for a terminal.

use anstream::{AutoStream, ColorChoice};
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, TableStyle, Width};
use lglp_sdk::Printable;
use unicode_width::UnicodeWidthStr;

/// What stands at one place. Others may have written it, so that it is made fit for a terminal.
#[derive(Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Head,
    Good,
    Bad,
}

impl Cell {
    fn new(text: &str, tone: Tone) -> Self {
        let text = Printable::of(text).to_string();
        Self { text, tone }
    }

    /// The name of what stands below it, or beside.
    pub fn head(text: &str) -> Self {
        Self::new(text, Tone::Head)
    }

    /// Something that holds, or does not: green or red where there are colours.
    pub fn verdict(text: &str, good: bool) -> Self {
        Self::new(text, if good { Tone::Good } else { Tone::Bad })
    }

    /// Whether nothing stands there.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn longest_word(&self) -> usize {
        self.text.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0)
    }

    fn styled(&self) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(&self.text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Head => cell.add_attribute(Attribute::Bold),
            Tone::Good => cell.fg(Color::Green),
            Tone::Bad => cell.fg(Color::Red),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(&text, Tone::Plain)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Columns of a terminal that a cell takes beside its text.
const PADDING: usize = 2;

/// Rows of cells.
pub(crate) struct Grid {
    pub rows: Vec<Vec<Cell>>,
    /// Columns whose texts end below one another, as numbers do.
    pub right: Vec<usize>,
}

impl Grid {
    /// Whether so many columns of a terminal are enough for the longest word of each column.
    pub(crate) fn fits(&self, width: u16) -> bool {
        let least: usize = self.longest_words().iter().map(|word| word + PADDING).sum();
        least <= usize::from(width)
    }

    /// On a terminal of so many columns, in which it fits.
    pub(crate) fn within(&self, width: u16) -> String {
        let mut table = self.laid_out();
        let least = self.longest_words().into_iter();
        table.set_constraints(least.map(|word| {
            let least = u16::try_from(word + PADDING).unwrap_or(u16::MAX);
            ColumnConstraint::LowerBoundary(Width::Fixed(least))
        }));
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        table.trim_fmt()
    }

    /// With every row in one line.
    pub(crate) fn at_ease(&self) -> String {
        self.laid_out().trim_fmt()
    }

    fn longest_words(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let column = |at| self.rows.iter().filter_map(move |row| row.get(at));
        (0..columns)
            .map(|at| column(at).map(Cell::longest_word).max().unwrap_or(0))
            .collect()
    }

    fn laid_out(&self) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(TableStyle::new());
        table
            .force_no_tty()
            .set_content_arrangement(ContentArrangement::Disabled);
        if AutoStream::choice(&std::io::stdout()) != ColorChoice::Never {
            table.enforce_styling();
        }
        table.add_rows(self.rows.iter().map(|row| row.iter().map(Cell::styled)));
        for at in &self.right {
            if let Some(column) = table.column_mut(*at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// Columns of the terminal that the output goes to; `COLUMNS` overrules what it says. `None` where it goes elsewhere.
pub(crate) fn terminal_width() -> Option<u16> {
    let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    wanted.or_else(|| comfy_table::Table::new().width())
}
