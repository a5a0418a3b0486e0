//! Consistency of a space of decisions.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::sampling::draw;
use super::{Condition, Decision, DecisionSpace, Definition, PresentColumn};
use crate::literal;
use crate::space::check::{MAX_SLOTS, check_name, choice_list, ensure};
use crate::space::expression::is_name;
use crate::space::{Choice, Column, Expression, SpaceError};

/// Draws that are made to see how many keep the rules, and how many of them have to.
const DRAWS: usize = 2_000;
const FEWEST_GOOD: usize = 4;

/// The columns that a definition's decisions have.
pub(super) fn columns(definition: &Definition) -> Result<Vec<PresentColumn>, SpaceError> {
    check_name(&definition.name)?;
    ensure(!definition.decisions.is_empty(), || "decisions is empty".into())?;
    let mut columns: Vec<PresentColumn> = Vec::new();
    for (number, decision) in definition.decisions.iter().enumerate() {
        let name = &decision.name;
        let is_allowed = is_name(name) && !name.contains('$') && name != "in" && !name.ends_with('.');
        ensure(is_allowed, || {
            format!(
                "decisions[{number}].name {name:?} may hold letters, digits, `_` and `.`, begins with a letter, and is not `in`"
            )
        })?;
        let is_new = columns.iter().all(|other| other.column.name != *name);
        let others = &definition.decisions[..number];
        ensure(is_new && others.iter().all(|other| other.name != *name), || {
            format!("two decisions are called `{name}`")
        })?;
        let choices = format!("decision `{name}`, choices");
        choice_list(&choices, &decision.choices)?;
        for choice in &decision.choices {
            ensure(choice.is_plain(), || {
                format!("{choices} hold {choice:?}; a word may hold letters, digits, `_`, `.` and `-`")
            })?;
        }
        let texts: Vec<String> = decision.choices.iter().map(Choice::to_string).collect();
        choice_list(&choices, &texts)?;
        let (count, by) = repetitions(decision, &columns)?;
        ensure(count > 0, || format!("decision `{name}` is never there: repeat is 0"))?;
        for repetition in 1..=count {
            let mut conditions = conditions(decision, repetition, &columns)?;
            if let Some((column, counts)) = &by {
                conditions.push(Condition {
                    column: *column,
                    allowed: counts.iter().map(|count| *count >= repetition).collect(),
                });
            }
            let name = match decision.repeat {
                Some(_) => format!("{name}.{repetition}"),
                None => name.clone(),
            };
            let is_new = columns.iter().all(|other| other.column.name != name);
            ensure(is_new, || format!("two decisions are called `{name}`"))?;
            columns.push(PresentColumn {
                column: Column {
                    name,
                    choices: decision.choices.clone(),
                },
                decision: number,
                conditions,
            });
            ensure(columns.len() <= MAX_SLOTS, || {
                format!("more than {MAX_SLOTS} decisions")
            })?;
        }
    }
    Ok(columns)
}

/// A column, and how many repetitions each of its choices gives.
type By = (usize, Vec<usize>);

/// How often a decision is taken at most, and what says how often it is.
fn repetitions(decision: &Decision, before: &[PresentColumn]) -> Result<(usize, Option<By>), SpaceError> {
    let Some(repeat) = &decision.repeat else {
        return Ok((1, None));
    };
    let at = format!("decision `{}`, repeat", decision.name);
    let names: Vec<&str> = repeat.names().collect();
    ensure(names.len() <= 1, || {
        format!("{at} may depend on one decision, not on {}", names.len())
    })?;
    let Some(name) = names.first() else {
        return Ok((whole(repeat, 0.0, &at)?, None));
    };
    let column = find(name, before, &at)?;
    let choices = &before[column].column.choices;
    let counts = choices.iter().map(|choice| {
        let number = choice.number();
        let number = number.ok_or_else(|| SpaceError(format!("{at}: `{name}` may be {choice}, which is no number")))?;
        whole(repeat, number, &at)
    });
    let counts = counts.collect::<Result<Vec<_>, _>>()?;
    Ok((counts.iter().copied().max().unwrap_or(0), Some((column, counts))))
}

/// The value of an expression of one name, which must be a count.
fn whole(expression: &Expression, number: f64, at: &str) -> Result<usize, SpaceError> {
    let value = expression.value(&|_| Ok::<_, SpaceError>(number))?;
    ensure(
        value.fract() == 0.0 && (0.0..=MAX_SLOTS as f64).contains(&value),
        || format!("{at} is {value}; it must be a whole number up to {MAX_SLOTS}"),
    )?;
    Ok(value as usize)
}

fn find(name: &str, columns: &[PresentColumn], at: &str) -> Result<usize, SpaceError> {
    let found = columns.iter().position(|column| column.column.name == name);
    found.ok_or_else(|| SpaceError(format!("{at} names `{name}`, which is no earlier decision")))
}

fn conditions(decision: &Decision, repetition: usize, before: &[PresentColumn]) -> Result<Vec<Condition>, SpaceError> {
    let at = format!("decision `{}`, when", decision.name);
    let condition = |(name, values): (&String, &Vec<Choice>)| {
        let name = name.replace('$', &repetition.to_string());
        let column = find(&name, before, &at)?;
        let choices = &before[column].column.choices;
        check_values(&format!("{at}.{name}"), values, choices)?;
        Ok(Condition {
            column,
            allowed: choices.iter().map(|choice| values.contains(choice)).collect(),
        })
    };
    decision.when.iter().map(condition).collect()
}

pub(in crate::space) fn check_values(at: &str, values: &[Choice], choices: &[Choice]) -> Result<(), SpaceError> {
    ensure(!values.is_empty(), || format!("{at} is empty"))?;
    for value in values {
        ensure(choices.contains(value), || {
            let choices: Vec<String> = choices.iter().map(Choice::to_string).collect();
            format!(
                "{at} holds {value}, which is none of its choices: {}",
                choices.join(", ")
            )
        })?;
    }
    Ok(())
}

impl DecisionSpace {
    /// Checks what is said of the columns.
    pub(super) fn check(&self) -> Result<(), SpaceError> {
        for (i, rule) in self.definition.constraints.iter().enumerate() {
            self.check_named(&format!("constraints[{i}].of"), &rule.of)?;
            let columns: Vec<usize> = rule.of.iter().flat_map(|name| self.columns_of(name)).collect();
            let distinct: BTreeSet<usize> = columns.iter().copied().collect();
            ensure(distinct.len() == columns.len(), || {
                format!("constraints[{i}].of names a decision twice")
            })?;
            for column in columns {
                let choices = &self.columns[column].column.choices;
                check_values(&format!("constraints[{i}].values"), &rule.values, choices)?;
            }
        }
        for (i, rule) in self.definition.forbidden.iter().enumerate() {
            self.check_forbidden(&format!("forbidden[{i}]"), rule)?;
        }
        self.check_forms()?;
        // Samplers draw until a draw keeps the rules.
        for is_weighted in [false, true] {
            let mut random = ChaCha8Rng::seed_from_u64(0);
            let good = (0..DRAWS).filter(|_| self.broken(&draw(self, &mut random, is_weighted)).is_none());
            ensure(good.take(FEWEST_GOOD).count() == FEWEST_GOOD, || {
                format!(
                    "hardly any of {DRAWS} random draws keeps the constraints; forbid less, or leave choices out instead"
                )
            })?;
        }
        match self.network() {
            Some(network) => network.check(self),
            None => Ok(()),
        }
    }

    fn check_forbidden(&self, at: &str, rule: &BTreeMap<String, Vec<Choice>>) -> Result<(), SpaceError> {
        ensure(!rule.is_empty(), || format!("{at} is empty"))?;
        for (name, values) in rule {
            self.check_named(at, std::slice::from_ref(name))?;
            for column in self.columns_of(name) {
                check_values(&format!("{at}.{name}"), values, &self.columns[column].column.choices)?;
            }
        }
        Ok(())
    }

    fn check_named(&self, at: &str, names: &[String]) -> Result<(), SpaceError> {
        ensure(!names.is_empty(), || format!("{at} is empty"))?;
        for name in names {
            ensure(!self.columns_of(name).is_empty(), || {
                format!("{at} names `{name}`, which is no decision")
            })?;
        }
        Ok(())
    }

    fn check_forms(&self) -> Result<(), SpaceError> {
        let forms = self.forms();
        for (i, text) in forms.texts.iter().enumerate() {
            let at = format!("forms.texts[{i}]");
            let parts = crate::forms::decisions::template(text);
            let parts = parts.map_err(|problem| SpaceError(format!("{at}: {problem}")))?;
            let names: Vec<String> = parts.decisions().map(str::to_owned).collect();
            self.check_whole(&at, &names)?;
            ensure(!literal::is_meant(text), || {
                format!("{at} begins as JSON does, so that it would be read as that")
            })?;
            for (name, behind) in parts.separators() {
                let columns = self.columns_of(name).into_iter();
                let choices = columns.flat_map(|column| &self.columns[column].column.choices);
                let ambiguous = choices.map(Choice::to_string).find(|text| text.contains(behind));
                if let Some(text) = ambiguous {
                    return Err(SpaceError(format!(
                        "{at}: {behind:?} stands behind `{name}`, which may be {text}: where it ends, nobody could tell"
                    )));
                }
            }
            let of_all = names.iter().all(|name| self.columns_of(name).len() == 1);
            ensure(of_all, || {
                format!("{at}: each pair of braces holds one decision, such as {{edge.1}}")
            })?;
        }
        for (i, lists) in forms.lists.iter().enumerate() {
            let at = format!("forms.lists[{i}]");
            let names: Vec<String> = lists.values().flat_map(|list| list.of.clone()).collect();
            self.check_whole(&at, &names)?;
        }
        Ok(())
    }

    /// A form says of each decision with several choices what it is.
    fn check_whole(&self, at: &str, names: &[String]) -> Result<(), SpaceError> {
        self.check_named(at, names)?;
        let told: Vec<usize> = names.iter().flat_map(|name| self.columns_of(name)).collect();
        for (number, column) in self.columns.iter().enumerate() {
            let times = told.iter().filter(|told| **told == number).count();
            let open = column.column.choices.len() > 1;
            ensure(times == 1 || (times == 0 && !open), || {
                let name = &column.column.name;
                format!("{at} tells `{name}` {times} times; it must tell it once")
            })?;
        }
        Ok(())
    }
}
