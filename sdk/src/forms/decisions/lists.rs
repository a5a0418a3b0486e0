//! Objects of lists that a space defines, such as Once-for-All's `{"d": [...], "e": [...], "w": [...]}`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::ArchitectureError;
use super::super::fields::{Fields, only, required};
use super::draft::{self, Told};
use crate::architecture::Architecture;
use crate::space::{DecisionSpace, ListForm};

/// The form that an object is meant in: of those with a field of it that no decision is called by, the one that it has most fields of.
pub(in crate::forms) fn matching<'a>(space: &'a DecisionSpace, fields: &'a Fields) -> Option<Lists<'a>> {
    let is_decision = |name: &str| space.decisions().iter().any(|decision| decision.name == name);
    let is_meant =
        |form: &&BTreeMap<String, ListForm>| form.keys().any(|name| fields.contains_key(name) && !is_decision(name));
    let fields_of = |form: &&BTreeMap<String, ListForm>| form.keys().filter(|name| fields.contains_key(*name)).count();
    // Of several, the last of the largest would be taken; the first is meant.
    let form = space
        .forms()
        .lists
        .iter()
        .rev()
        .filter(is_meant)
        .max_by_key(fields_of)?;
    Some(Lists { space, fields, form })
}

/// An object of lists.
pub(in crate::forms) struct Lists<'a> {
    space: &'a DecisionSpace,
    fields: &'a Fields,
    form: &'a BTreeMap<String, ListForm>,
}

impl Lists<'_> {
    /// Whether each field is there with as many values as it has.
    pub(in crate::forms) fn fit(&self) -> bool {
        self.form.iter().all(|(name, form)| {
            let length = form.of.iter().map(|of| self.space.columns_of(of).len()).sum::<usize>();
            let list = self.fields.get(name).and_then(Value::as_array);
            list.is_some_and(|list| list.len() == length)
        })
    }

    pub(in crate::forms) fn read(&self) -> Result<Architecture, ArchitectureError> {
        let names: Vec<&str> = self.form.keys().map(String::as_str).collect();
        only(self.fields, &names, "")?;
        let mut told = BTreeMap::<usize, (Told<'_>, String)>::new();
        for (name, form) in self.form {
            let columns: Vec<usize> = form.of.iter().flat_map(|of| self.space.columns_of(of)).collect();
            let expected = format!("a list of {} values", columns.len());
            let value = required(self.fields, name, "", &expected)?;
            let values = match value {
                Value::Array(values) => values.as_slice(),
                // A list of one is as good as its value.
                value => std::slice::from_ref(value),
            };
            if values.len() != columns.len() {
                let message = format!("{} values; expected {expected}", values.len());
                return Err(ArchitectureError::new(format!("/{name}"), message));
            }
            for (place, (column, one)) in columns.into_iter().zip(values).enumerate() {
                let is = match form.as_indices {
                    true => Told::Index(one),
                    false => Told::Value(one),
                };
                let place = match value {
                    Value::Array(_) => format!("/{name}/{place}"),
                    _ => format!("/{name}"),
                };
                told.insert(column, (is, place));
            }
        }
        let value = |column: usize| match told.get(&column) {
            Some((Told::Value(value), _)) => Told::Value(value),
            Some((Told::Index(value), _)) => Told::Index(value),
            _ => Told::Nothing,
        };
        let place = |column: usize| told.get(&column).map(|(_, place)| place.clone()).unwrap_or_default();
        draft::finish(self.space, value, place, true)
    }
}
