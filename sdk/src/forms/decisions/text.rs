//! Canonical text: `nas-bench-201@nor_conv_3x3,none,skip_connect`, the decisions that are there, in the order of the space.

use super::super::ArchitectureError;
use super::draft::{self, Told};
use super::template::template;
use crate::Excerpt;
use crate::architecture::Architecture;
use crate::space::DecisionSpace;

pub(in crate::forms) fn write(name: &str, space: &DecisionSpace, architecture: &Architecture) -> String {
    let cells = architecture.row().iter().zip(space.columns());
    let words = cells.filter_map(|(cell, column)| {
        let choice = usize::from(*cell).checked_sub(1)?;
        Some(column.column.choices[choice].to_string())
    });
    format!("{name}@{}", words.collect::<Vec<_>>().join(","))
}

pub(in crate::forms) fn read(name: &str, space: &DecisionSpace, text: &str) -> Result<Architecture, ArchitectureError> {
    let text = text.trim();
    if let Some((told, words)) = text.split_once('@') {
        if told != name {
            let message = format!(
                "an architecture of the space `{}`, where one of `{name}` is expected",
                Excerpt::of(told)
            );
            return Err(ArchitectureError::new("", message));
        }
        return canonical(name, space, words);
    }
    let forms = &space.forms().texts;
    let mut nearest = None;
    for form in forms {
        let template = template(form).expect("the space was checked");
        match template.read(text) {
            Ok(words) => {
                let column = |word: &str| space.columns_of(word)[0];
                let told: Vec<(usize, &str)> = words.iter().map(|(decision, word)| (column(decision), *word)).collect();
                let told = |at: usize| {
                    let word = told.iter().find(|(column, _)| *column == at);
                    word.map_or(Told::Nothing, |(_, word)| Told::Text(word))
                };
                return draft::finish(space, told, |_| String::new(), true);
            }
            Err(problem) => nearest = nearest.or(Some((form, problem))),
        }
    }
    let message = match nearest {
        Some((form, problem)) => format!("{problem}; the text reads like {form}, or like {name}@..."),
        None => format!(
            "{} does not belong in canonical text; it reads like {}",
            Excerpt::of(text),
            example(name, space)
        ),
    };
    Err(ArchitectureError::new("", message))
}

fn canonical(name: &str, space: &DecisionSpace, words: &str) -> Result<Architecture, ArchitectureError> {
    let words: Vec<&str> = words.split(',').collect();
    // Which columns are there shows as they are read: each takes the next word.
    let mut row = vec![0; space.columns().len()];
    let mut told = vec![None; row.len()];
    let mut rest = words.iter();
    for (at, column) in space.columns().iter().enumerate() {
        if !column.is_present(&row) {
            continue;
        }
        let choices = &column.column.choices;
        let Some(word) = rest.next() else { break };
        told[at] = Some(*word);
        let index = choices.iter().position(|choice| choice.to_string() == *word);
        row[at] = index.map_or(0, |index| index as u8 + 1);
    }
    let told = |at: usize| told[at].map_or(Told::Nothing, Told::Text);
    let architecture = draft::finish(space, told, |_| String::new(), false)?;
    let taken = architecture.row().iter().filter(|cell| **cell != 0).count();
    if taken != words.len() {
        let message = format!(
            "{} decisions; with these choices there are {taken}, as in {}",
            words.len(),
            write(name, space, &architecture)
        );
        return Err(ArchitectureError::new("", message));
    }
    Ok(architecture)
}

/// The text of the first architecture that there might be.
fn example(name: &str, space: &DecisionSpace) -> String {
    let mut row = vec![0; space.columns().len()];
    for (at, column) in space.columns().iter().enumerate() {
        row[at] = u8::from(column.is_present(&row));
    }
    write(name, space, &Architecture::unchecked(&row))
}
