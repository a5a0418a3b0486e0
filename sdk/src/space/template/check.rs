//! Consistency of a template: every name that it uses is there.

use std::collections::BTreeMap;

use super::operation::ACTIVATIONS;
use super::{Block, Input, Link, NetworkTemplate, Parameter, Step};
use crate::space::check::ensure;
use crate::space::decisions::{PresentColumn, check_values};
use crate::space::expression::is_name;
use crate::space::{Choice, DecisionSpace, Expression, INPUT, SpaceError};

/// Blocks that run one after another at most, and nodes of a cell.
const MOST_RUNS: f64 = 4_096.0;
const MOST_NODES: usize = 256;

/// What channels are rounded to a multiple of at most.
const MOST_MULTIPLE: u32 = 4_096;

/// What is known where a block runs.
#[derive(Clone, Copy)]
struct Scope<'a> {
    space: &'a DecisionSpace,
    link: Option<&'a Link>,
    /// From 1.
    repetition: usize,
    at: &'a str,
}

impl Scope<'_> {
    fn column(&self, name: &str) -> Option<&PresentColumn> {
        let name = name.replace('$', &self.repetition.to_string());
        let columns = self.space.columns().iter();
        columns.into_iter().find(|column| column.column.name == name)
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.link.is_some_and(|link| link.parameters.contains_key(name))
    }

    fn unknown(&self, name: &str) -> SpaceError {
        let (at, repetition) = (self.at, self.repetition);
        SpaceError(format!(
            "{at}, repetition {repetition}: `{name}` is no decision, and no number that `with` gives"
        ))
    }

    /// Checks the numbers of a step, which may name what goes in.
    fn check_numbers(&self, expression: &Expression) -> Result<(), SpaceError> {
        for name in expression.names() {
            if (name == INPUT && self.link.is_some()) || self.is_parameter(name) {
                continue;
            }
            let column = self.column(name).ok_or_else(|| self.unknown(name))?;
            let word = column.column.choices.iter().find(|choice| choice.number().is_none());
            let at = self.at;
            ensure(word.is_none(), || {
                format!("{at}: `{name}` may be a word, which is no number")
            })?;
        }
        Ok(())
    }

    fn check_when(&self, when: &BTreeMap<String, Vec<Choice>>) -> Result<(), SpaceError> {
        for (name, values) in when {
            let at = format!("{}, when.{name}", self.at);
            if self.is_parameter(name) {
                let word = values.iter().find(|value| value.number().is_none());
                ensure(word.is_none() && !values.is_empty(), || {
                    format!("{at} must hold numbers")
                })?;
            } else {
                let column = self.column(name).ok_or_else(|| self.unknown(name))?;
                check_values(&at, values, &column.column.choices)?;
            }
        }
        Ok(())
    }

    fn check_activation(&self, name: &str) -> Result<(), SpaceError> {
        let is_one = |name: &str| ACTIVATIONS.contains(&name);
        let is_chosen = |column: &PresentColumn| column.column.choices.iter().all(|choice| is_one(&choice.to_string()));
        ensure(is_one(name) || self.column(name).is_some_and(is_chosen), || {
            let at = self.at;
            format!(
                "{at}: {name:?} is no activation, nor a decision that chooses one; there are: {}",
                ACTIVATIONS.join(", ")
            )
        })
    }

    fn check_steps(&self, steps: &[Step]) -> Result<(), SpaceError> {
        for step in steps {
            self.check_when(&step.when)?;
            for expression in step.operation.expressions() {
                self.check_numbers(expression)?;
            }
            check_multiple(self.at, step.operation.multiple_of())?;
            for activation in step.operation.activations() {
                self.check_activation(activation)?;
            }
        }
        Ok(())
    }

    /// The blocks that a name may run.
    fn blocks<'b>(&self, template: &'b NetworkTemplate, name: &str) -> Result<Vec<&'b Block>, SpaceError> {
        if let Some(block) = template.blocks.get(name) {
            return Ok(vec![block]);
        }
        let column = self.column(name);
        let at = self.at;
        let column =
            column.ok_or_else(|| SpaceError(format!("{at} runs `{name}`, which is no block and no decision")))?;
        let chosen = column.column.choices.iter().map(|choice| {
            let block = template.blocks.get(&choice.to_string());
            block.ok_or_else(|| {
                SpaceError(format!(
                    "{at} runs `{name}`, which may be {choice}; there is no such block"
                ))
            })
        });
        chosen.collect()
    }

    fn check_block(&self, template: &NetworkTemplate, block: &Block, is_edge: bool) -> Result<(), SpaceError> {
        let at = self.at;
        ensure(is_edge || !block.disconnected, || {
            format!("{at} runs a block that is disconnected; only an edge of a cell may")
        })?;
        self.check_steps(&block.steps)?;
        if let Some(shortcut) = &block.shortcut {
            self.check_when(&shortcut.when)?;
            self.check_steps(&shortcut.projection)?;
        }
        if let Some(activation) = &block.activation {
            self.check_activation(activation)?;
        }
        for edge in &block.edges {
            let (from, to) = (edge.from, edge.to);
            ensure(from < to, || {
                format!("{at}: an edge leads from {from} to {to}; it must lead to a later node")
            })?;
            ensure(to < MOST_NODES, || {
                format!("{at}: an edge leads to node {to}; there are {MOST_NODES} at most")
            })?;
            ensure(!is_edge, || format!("{at}: an edge of a cell runs another cell"))?;
            for block in self.blocks(template, &edge.run)? {
                self.check_block(template, block, true)?;
            }
        }
        let is_cell = !block.edges.is_empty();
        let is_plain = !block.steps.is_empty() || block.shortcut.is_some() || block.disconnected;
        ensure(!(is_cell && is_plain), || {
            format!("{at} runs a block that has edges and steps; a cell has edges alone")
        })
    }
}

impl NetworkTemplate {
    /// Checks that decisions and parameters give every number that is asked for.
    pub(in crate::space) fn check(&self, space: &DecisionSpace) -> Result<(), SpaceError> {
        let alone = Scope {
            space,
            link: None,
            repetition: 1,
            at: "network.input",
        };
        let numbers = match &self.input {
            Input::Image { side, channels } => vec![side, channels],
            Input::Tokens {
                length,
                vocabulary,
                features,
            } => vec![length, vocabulary, features],
        };
        numbers.into_iter().try_for_each(|number| alone.check_numbers(number))?;
        ensure(!self.chain.is_empty(), || "network.chain is empty".into())?;
        for (i, link) in self.chain.iter().enumerate() {
            let at = format!("network.chain[{i}]");
            let alone = Scope { at: &at, ..alone };
            check_repeat(space, &link.repeat, &at)?;
            ensure(!link.run.is_empty(), || format!("{at}.run is empty"))?;
            for (name, parameter) in &link.parameters {
                ensure(!parameter.all().is_empty(), || format!("{at}.with.{name} is empty"))?;
                let is_decision = space.columns().iter().any(|column| column.column.name == *name);
                let is_free = is_name(name) && name != INPUT && !is_decision;
                ensure(is_free, || {
                    format!("{at}.with: `{name}` must be a name, and neither `{INPUT}` nor that of a decision")
                })?;
                if let Parameter::Rounded(rounded) = parameter {
                    check_multiple(&at, rounded.multiple_of)?;
                }
            }
            for repetition in 1..=space.most(&link.repeat) {
                for parameter in link.parameters.values() {
                    Scope { repetition, ..alone }.check_numbers(parameter.of(repetition - 1))?;
                }
                let scope = Scope {
                    link: Some(link),
                    repetition,
                    ..alone
                };
                for name in &link.run {
                    for block in scope.blocks(self, name)? {
                        scope.check_block(self, block, false)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn check_multiple(at: &str, multiple_of: u32) -> Result<(), SpaceError> {
    ensure((1..=MOST_MULTIPLE).contains(&multiple_of), || {
        format!("{at}: multiple_of is {multiple_of}; allowed: 1 to {MOST_MULTIPLE}")
    })
}

/// Checks that a number of repetitions is one, whatever its decisions are.
fn check_repeat(space: &DecisionSpace, repeat: &Expression, at: &str) -> Result<(), SpaceError> {
    for name in repeat.names() {
        let column = space.columns().iter().find(|column| column.column.name == name);
        let column = column.ok_or_else(|| SpaceError(format!("{at}.repeat names `{name}`, which is no decision")))?;
        let is_count = |choice: &Choice| choice.number().is_some_and(|number| number >= 0.0);
        let other = column.column.choices.iter().find(|choice| !is_count(choice));
        if let Some(other) = other {
            return Err(SpaceError(format!(
                "{at}.repeat: `{name}` may be {other}, which counts nothing"
            )));
        }
    }
    let most = space.most(repeat);
    ensure(most as f64 <= MOST_RUNS, || {
        format!("{at}.repeat may be {most}; allowed: {MOST_RUNS}")
    })
}
