//! The readable form: `{"resolution": 224, "depth": [0, 2], "stage1.expand": [0.2, 0.35, 0.25]}`; decisions that are taken several times
//! are lists.

use serde_json::{Map, Value};

use super::super::ArchitectureError;
use super::super::fields::{Fields, array, only};
use super::draft::{self, Told};
use crate::architecture::Architecture;
use crate::space::DecisionSpace;

pub(in crate::forms) fn read(space: &DecisionSpace, fields: &Fields) -> Result<Architecture, ArchitectureError> {
    let names: Vec<&str> = space
        .decisions()
        .iter()
        .map(|decision| decision.name.as_str())
        .collect();
    only(fields, &names, "")?;
    for decision in space.decisions() {
        let Some(value) = fields.get(&decision.name) else {
            continue;
        };
        if decision.repeat.is_some() {
            let at = format!("/{}", decision.name);
            let (told, most) = (array(value, &at)?.len(), space.columns_of(&decision.name).len());
            if told > most {
                let message = format!("{told} values; `{}` is taken {most} times at most", decision.name);
                return Err(ArchitectureError::new(at, message));
            }
        }
    }
    let told = |column: usize| {
        let (name, repetition) = part(space, column);
        let value = match (fields.get(name), repetition) {
            (Some(list), Some(repetition)) => list.get(repetition),
            (value, _) => value,
        };
        match value {
            None | Some(Value::Null) => Told::Nothing,
            Some(value) => Told::Value(value),
        }
    };
    let place = |column: usize| match part(space, column) {
        (name, Some(repetition)) => format!("/{name}/{repetition}"),
        (name, None) => format!("/{name}"),
    };
    draft::finish(space, told, place, false)
}

/// The decision of a column, and which repetition of it, from 0.
fn part(space: &DecisionSpace, column: usize) -> (&str, Option<usize>) {
    let number = space.columns()[column].decision;
    let decision = &space.decisions()[number];
    let first = space.columns().iter().position(|column| column.decision == number);
    let repetition = decision.repeat.as_ref().and(first).map(|first| column - first);
    (&decision.name, repetition)
}

pub(in crate::forms) fn write(space: &DecisionSpace, architecture: &Architecture) -> Value {
    let mut fields = Map::new();
    for (at, cell) in architecture.row().iter().enumerate() {
        let (name, repetition) = part(space, at);
        let choice = usize::from(*cell).checked_sub(1);
        let value = choice.map_or(Value::Null, |choice| {
            space.columns()[at].column.choices[choice].to_json()
        });
        match (repetition, fields.get_mut(name)) {
            (Some(_), Some(Value::Array(list))) => list.push(value),
            (Some(_), _) => {
                fields.insert(name.to_owned(), Value::Array(vec![value]));
            }
            (None, _) if choice.is_some() => {
                fields.insert(name.to_owned(), value);
            }
            (None, _) => {}
        }
    }
    // What is not there is left out, where nothing comes behind it.
    for value in fields.values_mut() {
        if let Value::Array(list) = value {
            let end = list
                .iter()
                .rposition(|value| !value.is_null())
                .map_or(0, |last| last + 1);
            list.truncate(end);
        }
    }
    Value::Object(fields)
}
