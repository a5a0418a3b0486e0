//! What the names of a template stand for, where a block runs.

use std::collections::{BTreeMap, HashMap};

use lglp_sdk::space::template::{Block, Link, NetworkTemplate, Parameter};
use lglp_sdk::space::{Choice, Expression, INPUT};

use crate::networks::rounding::nearest_multiple;

/// The largest number that a network may have of anything.
const MOST: f64 = 1e7;

/// What is chosen, and the parameters of a repetition.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    chosen: &'a HashMap<&'a str, &'a Choice>,
    parameters: Vec<(&'a str, f64)>,
    /// From 1.
    repetition: usize,
}

impl<'a> Scope<'a> {
    /// `chosen` is what is chosen by the names of decisions.
    pub(super) fn new(chosen: &'a HashMap<&'a str, &'a Choice>) -> Self {
        Self {
            chosen,
            parameters: Vec::new(),
            repetition: 1,
        }
    }

    /// The scope of a repetition, from 0, of a link.
    pub(super) fn inside(&self, link: &'a Link, repetition: usize) -> Result<Self, String> {
        let mut inside = self.clone();
        inside.repetition = repetition + 1;
        let parameters = link.parameters.iter().map(|(name, parameter)| {
            let mut value = inside.number(parameter.of(repetition), 0)?;
            if let Parameter::Rounded(rounded) = parameter {
                value = f64::from(nearest_multiple(whole(name, value)?, rounded.multiple_of));
            }
            Ok((name.as_str(), value))
        });
        inside.parameters = parameters.collect::<Result<_, String>>()?;
        Ok(inside)
    }

    fn chosen(&self, name: &str) -> Option<&'a Choice> {
        match name.contains('$') {
            true => self
                .chosen
                .get(&*name.replace('$', &self.repetition.to_string()))
                .copied(),
            false => self.chosen.get(name).copied(),
        }
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    /// The value of an expression, where so many channels or features go in.
    fn number(&self, expression: &Expression, input: u32) -> Result<f64, String> {
        let of = |name: &str| match name {
            INPUT => Ok(f64::from(input)),
            name => {
                let number = self.parameter(name).or_else(|| self.chosen(name)?.number());
                number.ok_or_else(|| format!("`{name}` is not there with these choices"))
            }
        };
        expression.value(&of)
    }

    /// The value of an expression, which must be 1 or more; a fraction is rounded. `what` is what is asked for, in words.
    pub(super) fn whole(&self, what: &str, expression: &Expression, input: u32) -> Result<u32, String> {
        whole(what, self.number(expression, input)?)
    }

    /// How often something is repeated.
    pub(super) fn count(&self, expression: &Expression) -> Result<usize, String> {
        let value = self.number(expression, 0)?;
        match (0.0..=MOST).contains(&value) && value.fract() == 0.0 {
            true => Ok(value as usize),
            false => Err(format!("{value} repetitions")),
        }
    }

    /// Whether decisions and parameters are as is asked for.
    pub(super) fn holds(&self, when: &BTreeMap<String, Vec<Choice>>) -> bool {
        when.iter().all(|(name, values)| match self.parameter(name) {
            Some(number) => values.iter().any(|value| value.number() == Some(number)),
            None => self.chosen(name).is_some_and(|chosen| values.contains(chosen)),
        })
    }

    /// The block that a name runs, and its own name.
    pub(super) fn block<'t>(&self, template: &'t NetworkTemplate, name: &str) -> Result<(&'t str, &'t Block), String> {
        let chosen = self.chosen(name).map(Choice::to_string);
        let found = template
            .blocks
            .get_key_value(name)
            .or_else(|| template.blocks.get_key_value(&*chosen?));
        let found = found.map(|(name, block)| (name.as_str(), block));
        found.ok_or_else(|| format!("`{name}` is no block, and is not there with these choices"))
    }

    /// The activation that a name stands for.
    pub(super) fn activation(&self, name: &str) -> String {
        self.chosen(name).map_or_else(|| name.to_owned(), Choice::to_string)
    }
}

fn whole(what: &str, value: f64) -> Result<u32, String> {
    let value = value.round();
    match (1.0..=MOST).contains(&value) {
        true => Ok(value as u32),
        false => Err(format!("{what} is {value}; allowed: 1 to {MOST}")),
    }
}
