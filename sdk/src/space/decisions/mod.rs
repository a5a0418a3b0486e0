//! Spaces of decisions with names of their own: what each may be, which of them are there, and the networks that they make.

mod check;
mod sampling;
mod size;

pub(super) use check::check_values;
pub(super) use sampling::DecisionSampler;

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde::{Deserialize, Serialize, Serializer};

use super::template::{Input, NetworkTemplate};
use super::{Choice, Column, Expression, SpaceError, hex_sha256};

/// A search space of decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionSpace {
    definition: Definition,
    columns: Vec<PresentColumn>,
}

/// What a space's file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    name: String,
    title: String,
    decisions: Vec<Decision>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<CountRule>,
    /// Each names decisions, as in [`CountRule::of`], and values: that all of them that are there take one of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forbidden: Vec<BTreeMap<String, Vec<Choice>>>,
    #[serde(default, skip_serializing_if = "Forms::is_empty")]
    forms: Forms,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<NetworkTemplate>,
}

/// A decision of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Such as `depth` or `stage1.expand`.
    pub name: String,
    /// What it may be.
    pub choices: Vec<Choice>,
    /// How often it is to be taken; each time is called by its number behind the name, from 1: `stage1.expand.2`. A number, or one that an
    /// earlier decision gives. `None` where it is taken once, without a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Expression>,
    /// It is there only where earlier decisions are one of these; `$` in a name stands for the number of the repetition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Vec<Choice>>,
}

/// A bound on how many of some decisions take a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountRule {
    /// The decisions, each once: by name, all repetitions together, or one of these.
    pub of: Vec<String>,
    /// The values that are counted.
    pub values: Vec<Choice>,
    /// How many must take one; `None` where none has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<usize>,
    /// How many may take one; `None` where all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<usize>,
}

/// Forms of writing, beside those that all spaces have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forms {
    /// Texts with decisions in braces, such as `|{edge.1}~0|+|{edge.2}~0|{edge.3}~1|`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Objects of lists, each field with the decisions whose values it lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<BTreeMap<String, ListForm>>,
}

impl Forms {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.lists.is_empty()
    }
}

/// A list of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListForm {
    /// The decisions, as in [`CountRule::of`]. What is written for one that is not there is ignored.
    pub of: Vec<String>,
    /// Whether numbers stand for values, by their order, from 0.
    #[serde(default)]
    pub as_indices: bool,
}

/// A column of a row, and when there is something to choose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PresentColumn {
    pub column: Column,
    /// The decision that it is of.
    pub decision: usize,
    /// All of them must hold.
    conditions: Vec<Condition>,
}

/// That an earlier column is one of some choices.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    column: usize,
    allowed: Vec<bool>,
}

impl Condition {
    fn holds(&self, row: &[u8]) -> bool {
        match row[self.column] {
            0 => false,
            index => self.allowed[usize::from(index) - 1],
        }
    }
}

impl PresentColumn {
    /// Whether there is something to choose, where the row says so far what was chosen before.
    pub(crate) fn is_present(&self, row: &[u8]) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }
}

impl Serialize for DecisionSpace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.definition.serialize(serializer)
    }
}

/// Why a row breaks a rule of its space, for people.
pub(crate) struct Broken {
    /// The columns that the rule is about.
    pub columns: Vec<usize>,
    pub message: String,
}

impl DecisionSpace {
    pub(super) fn name(&self) -> &str {
        &self.definition.name
    }

    pub(super) fn title(&self) -> &str {
        &self.definition.title
    }

    pub(super) fn set_title(&mut self, title: String) {
        self.definition.title = title;
    }

    /// The same space with no forms of writing but those that all spaces have: neither rows nor encodings depend on them.
    pub(super) fn without_forms(mut self) -> Self {
        self.definition.forms = Forms::default();
        self
    }

    /// The most that a sum of products may be, whatever its decisions are, none of which may be below 0.
    pub fn most(&self, expression: &Expression) -> usize {
        let largest = |name: &str| {
            let columns = self.columns.iter().filter(|column| column.column.name == name);
            let numbers = columns
                .flat_map(|column| &column.column.choices)
                .filter_map(Choice::number);
            Ok::<_, Infallible>(numbers.fold(0.0, f64::max))
        };
        let Ok(most) = expression.value(&largest);
        most as usize
    }

    /// The decisions, in the order of the file.
    pub fn decisions(&self) -> &[Decision] {
        &self.definition.decisions
    }

    /// Forms of writing, beside those that all spaces have.
    pub(crate) fn forms(&self) -> &Forms {
        &self.definition.forms
    }

    /// What each byte of a row chooses.
    pub(crate) fn columns(&self) -> &[PresentColumn] {
        &self.columns
    }

    /// How decisions make a network, where the space says so.
    pub fn network(&self) -> Option<&NetworkTemplate> {
        self.definition.network.as_ref()
    }

    /// What is chosen by a row, of all columns that are there, by their names.
    pub fn chosen<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = (&'a str, &'a Choice)> {
        let cells = row.iter().zip(&self.columns);
        cells.filter_map(|(cell, PresentColumn { column, .. })| {
            let index = usize::from(*cell).checked_sub(1)?;
            Some((column.name.as_str(), column.choices.get(index)?))
        })
    }

    /// Makes of choices, some of which may have come or gone, those of an architecture, unless a rule is broken: what is not there is left out,
    /// and what is new is as the repetition before it, or else its first choice.
    pub fn complete(&self, row: &mut [u8]) {
        for (at, column) in self.columns.iter().enumerate() {
            if !column.is_present(row) {
                row[at] = 0;
            } else if row[at] == 0 {
                let before = at
                    .checked_sub(1)
                    .filter(|before| self.columns[*before].decision == column.decision);
                row[at] = before.map_or(1, |before| row[before].max(1));
            }
        }
    }

    pub(super) fn input_side(&self, row: &[u8]) -> Option<u32> {
        let (Input::Image { side, .. } | Input::Tokens { length: side, .. }) = &self.network()?.input;
        let number = |name: &str| {
            let chosen = self.chosen(row).find(|(known, _)| *known == name);
            chosen.and_then(|(_, choice)| choice.number()).ok_or(())
        };
        let value = side.value(&number).ok()?.round();
        (1.0..=f64::from(u32::MAX)).contains(&value).then_some(value as u32)
    }

    pub(super) fn networks_digest(&self) -> String {
        let decisions = self.definition.decisions.iter();
        let decisions: Vec<_> = decisions.map(|one| (&one.name, &one.repeat, &one.when)).collect();
        let said = serde_json::to_string(&(decisions, &self.definition.network)).expect("it has string keys only");
        hex_sha256(said)
    }

    /// The columns of a decision, or one column.
    pub(crate) fn columns_of(&self, name: &str) -> Vec<usize> {
        let decision = self
            .definition
            .decisions
            .iter()
            .position(|decision| decision.name == name);
        let is_it = |column: &PresentColumn| column.column.name == name || Some(column.decision) == decision;
        let columns = self.columns.iter().enumerate();
        columns.filter(|(_, column)| is_it(column)).map(|(at, _)| at).collect()
    }

    /// The rule that a row breaks, if any.
    pub(crate) fn broken(&self, row: &[u8]) -> Option<Broken> {
        let takes = |column: usize, values: &[Choice]| {
            let index = usize::from(row[column]).checked_sub(1);
            index.is_some_and(|index| values.contains(&self.columns[column].column.choices[index]))
        };
        for rule in &self.definition.constraints {
            let columns: Vec<usize> = rule.of.iter().flat_map(|name| self.columns_of(name)).collect();
            let count = columns.iter().filter(|column| takes(**column, &rule.values)).count();
            if rule.at_least.is_none_or(|least| count >= least) && rule.at_most.is_none_or(|most| count <= most) {
                continue;
            }
            let wanted = match (rule.at_least, rule.at_most) {
                (Some(least), Some(most)) if least == most => format!("exactly {least}"),
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, most) => format!("at most {}", most.unwrap_or(0)),
            };
            let (of, values) = (rule.of.join(", "), words(&rule.values));
            return Some(Broken {
                columns,
                message: format!(
                    "{count} of {of} are {values}; the space `{}` wants {wanted}",
                    self.name()
                ),
            });
        }
        for rule in &self.definition.forbidden {
            let columns: Vec<usize> = rule.keys().flat_map(|name| self.columns_of(name)).collect();
            // Of a decision that is repeated, all that are there.
            let takes_all = |(name, values): (&String, &Vec<Choice>)| {
                let mut present = self.columns_of(name);
                present.retain(|column| row[*column] != 0);
                !present.is_empty() && present.iter().all(|column| takes(*column, values))
            };
            if rule.iter().all(takes_all) {
                let parts = rule.iter().map(|(name, values)| format!("{name} is {}", words(values)));
                let together = parts.collect::<Vec<_>>().join(" and ");
                return Some(Broken {
                    columns,
                    message: format!("the space `{}` forbids that {together}", self.name()),
                });
            }
        }
        None
    }
}

fn words(values: &[Choice]) -> String {
    let words: Vec<String> = values.iter().map(Choice::to_string).collect();
    words.join(" or ")
}

impl DecisionSpace {
    /// A space of a definition, where that is consistent.
    pub(super) fn new(definition: Definition) -> Result<Self, SpaceError> {
        let columns = check::columns(&definition)?;
        let space = Self { definition, columns };
        space.check()?;
        Ok(space)
    }
}
