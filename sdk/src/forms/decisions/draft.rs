//! An architecture as choices, not yet known to belong to its space.

use serde_json::Value;

use super::super::ArchitectureError;
use super::super::fields::listed;
use crate::Excerpt;
use crate::architecture::Architecture;
use crate::space::{Choice, DecisionSpace};

/// What a form says of a column.
pub(super) enum Told<'a> {
    /// Nothing.
    Nothing,
    /// A value, as JSON has it.
    Value(&'a Value),
    /// The number of a choice, from 0.
    Index(&'a Value),
    /// A text that a choice is written as.
    Text(&'a str),
}

/// Makes an architecture of what a form tells of each column; `place` is where it stands there, as a JSON pointer. What is told of a
/// column that is not there is a fault, unless the form tells of all.
pub(super) fn finish<'a>(
    space: &DecisionSpace,
    told: impl Fn(usize) -> Told<'a>,
    place: impl Fn(usize) -> String,
    tells_all: bool,
) -> Result<Architecture, ArchitectureError> {
    let mut row = vec![0; space.columns().len()];
    for (at, column) in space.columns().iter().enumerate() {
        let told = told(at);
        if column.is_present(&row) {
            let index = index_of(&column.column.choices, &told);
            let index = index.ok_or_else(|| wrong(&column.column.name, &column.column.choices, &told, place(at)))?;
            row[at] = index as u8 + 1;
        } else if !tells_all && !matches!(told, Told::Nothing) {
            let message = format!("`{}` is not there with these choices; leave it out", column.column.name);
            return Err(ArchitectureError::new(place(at), message));
        }
    }
    match space.broken(&row) {
        Some(broken) => {
            let at = broken.columns.first().map(|column| place(*column)).unwrap_or_default();
            Err(ArchitectureError::new(at, broken.message))
        }
        None => Ok(Architecture::unchecked(&row)),
    }
}

fn index_of(choices: &[Choice], told: &Told<'_>) -> Option<usize> {
    match told {
        // What cannot be chosen need not be told.
        Told::Nothing => (choices.len() == 1).then_some(0),
        Told::Value(value) => choices.iter().position(|choice| choice.is(value)),
        Told::Index(value) => {
            let index = value.as_u64().or_else(|| crate::strict::whole(value.as_number()?))?;
            usize::try_from(index).ok().filter(|index| *index < choices.len())
        }
        Told::Text(text) => choices.iter().position(|choice| choice.to_string() == *text),
    }
}

fn wrong(name: &str, choices: &[Choice], told: &Told<'_>, place: String) -> ArchitectureError {
    let allowed = match told {
        Told::Index(_) => format!("0 to {}", choices.len() - 1),
        _ => listed(choices.iter().map(Choice::to_string)),
    };
    let message = match told {
        Told::Nothing => format!("`{name}` is missing; allowed: {allowed}"),
        Told::Value(value) | Told::Index(value) => {
            format!("`{name}` is {}; allowed: {allowed}", Excerpt::of(value))
        }
        Told::Text(text) => format!("`{name}` is {}; allowed: {allowed}", Excerpt::of(text)),
    };
    ArchitectureError::new(place, message)
}

/// Checks a row that was not built here.
pub(crate) fn check_row(space: &DecisionSpace, architecture: &Architecture) -> Result<(), ArchitectureError> {
    let row = architecture.row();
    let fail = |message: String| Err(ArchitectureError::new("", message));
    let columns = space.columns();
    if row.len() != columns.len() {
        return fail(format!(
            "a row of the space has {} bytes, not {}",
            columns.len(),
            row.len()
        ));
    }
    for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
        let name = &column.column.name;
        let most = column.column.choices.len();
        match column.is_present(row) {
            true if !(1..=most).contains(&usize::from(*cell)) => {
                return fail(format!("byte {at} ({name}) is {cell}; allowed: 1 to {most}"));
            }
            false if *cell != 0 => {
                return fail(format!(
                    "byte {at} ({name}) is {cell}; with the choices before it, it must be 0"
                ));
            }
            _ => {}
        }
    }
    match space.broken(row) {
        Some(broken) => fail(broken.message),
        None => Ok(()),
    }
}
