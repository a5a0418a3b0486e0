//! What is wrong with a table, or with rows of it, and what was read beside these.

use lglp_registry::Measurement;
use lglp_sdk::{Excerpt, Printable, count};

use super::format::Format;
use super::notation::Delimiter;

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: u64,
    /// Where it is one cell that cannot be read.
    pub column: Option<String>,
    /// What is wrong, and often what to do about it, for people.
    pub problem: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {}", Printable::of(column))?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What the rows of a table are.
#[derive(Debug)]
pub struct Rows {
    pub(super) file: String,
    /// Those that can be read.
    pub(super) measurements: Vec<Measurement>,
    /// What is wrong with the others, in their order.
    pub(super) faults: Vec<Fault>,
}

impl Rows {
    /// The measurements of a table without faults.
    ///
    /// # Errors
    /// [`ImportError::Faults`].
    pub fn all(self) -> Result<Vec<Measurement>, ImportError> {
        match self.faults.is_empty() {
            true => Ok(self.measurements),
            false => Err(self.refused()),
        }
    }

    /// The measurements of the rows that can be read, and what is wrong with those that are left out.
    ///
    /// # Errors
    /// [`ImportError::Faults`] where there is no row that can be read.
    pub fn without_bad(self) -> Result<(Vec<Measurement>, Vec<Fault>), ImportError> {
        match self.measurements.is_empty() {
            true => Err(self.refused()),
            false => Ok((self.measurements, self.faults)),
        }
    }

    fn refused(self) -> ImportError {
        ImportError::Faults {
            file: self.file,
            good: self.measurements.len(),
            faults: self.faults,
        }
    }
}

/// How many rows faults are of; those of one row come one after the other.
pub fn rows_of(faults: &[Fault]) -> usize {
    faults.chunk_by(|a, b| a.line == b.line).count()
}

/// Why a table was not imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The first line is no text in UTF-8, or the CSV reader cannot go on.
    #[error("{file} is no table: {source}")]
    Csv {
        /// The name of the file.
        file: String,
        /// The CSV reader's reason.
        source: csv::Error,
    },
    /// Columns of blocks and layers, for a space that has none.
    #[error(
        "`{space}` has no blocks and layers, which these columns are of; give the column of whole architectures (architecture = ...)"
    )]
    NoChain {
        /// The name of the space.
        space: String,
    },
    /// The file is no text in UTF-8.
    #[error("{file} is {}", format.advice())]
    Format {
        /// The name of the file.
        file: String,
        /// What it is instead, by its first bytes.
        format: Format,
    },
    /// The first line names no such column.
    #[error("{file} has no column `{column}`; {}", instead(columns, *delimiter))]
    NoColumn {
        /// The name of the file.
        file: String,
        /// The column that is missing.
        column: String,
        /// The columns of the first line, as the given delimiter divides it.
        columns: Vec<String>,
        /// By which it has that column.
        delimiter: Option<Delimiter>,
    },
    /// The first line names a column more than once.
    #[error("columns {} and {} of {file} are both named `{column}`; rename the one that is not meant", places.0, places.1)]
    TwoColumns {
        /// The name of the file.
        file: String,
        /// The column's name.
        column: String,
        /// The numbers of the first two of that name, from 1.
        places: (usize, usize),
    },
    /// Nothing follows the first line.
    #[error("{file} has no rows")]
    NoRows {
        /// The name of the file.
        file: String,
    },
    /// Some rows cannot be read.
    #[error("{}", list(file, *good, faults))]
    Faults {
        /// The name of the file.
        file: String,
        /// How many rows can be read.
        good: usize,
        /// What is wrong with the others, in their order; several faults may be of one row.
        faults: Vec<Fault>,
    },
}

/// Faults that a message shows.
const FAULTS_SHOWN: usize = 20;

fn list(file: &str, good: usize, faults: &[Fault]) -> String {
    let rows = count(rows_of(faults), "row");
    let mut text = match good {
        0 => format!("no row of {file} can be read; nothing was imported"),
        _ => {
            format!("{rows} of {file} cannot be read; nothing was imported (--skip-bad-rows imports the other {good})")
        }
    };
    for fault in faults.iter().take(FAULTS_SHOWN) {
        text += &format!("\n  {fault}");
    }
    if faults.len() > FAULTS_SHOWN {
        text += &format!("\n  and {} more", faults.len() - FAULTS_SHOWN);
    }
    text
}

/// What a table has instead of a column, and what to do about it.
fn instead(columns: &[String], delimiter: Option<Delimiter>) -> String {
    match delimiter {
        Some(delimiter) => format!("it seems to be delimited by {delimiter}: add --delimiter {delimiter}"),
        None => format!("its columns are: {}", shortened(columns)),
    }
}

/// Column names, those in the middle left out where there are many.
fn shortened(columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| Excerpt::of(column).to_string()).collect();
    if columns.len() <= FAULTS_SHOWN {
        return columns.join(", ");
    }
    let (first, last) = (
        &columns[..FAULTS_SHOWN / 2],
        &columns[columns.len() - FAULTS_SHOWN / 2..],
    );
    format!("{}, ..., {}", first.join(", "), last.join(", "))
}
