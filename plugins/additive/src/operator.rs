//! Operators as the encoder `operators` gives them, and networks as sets of them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use lglp_sdk::plugin::{PluginError, Tensor};
use serde::{Deserialize, Serialize};

/// Columns of a step; the encoder `operators` documents them.
pub(crate) const WIDTH: usize = 15;

/// The column of the side of the input.
pub(crate) const SIDE_IN: usize = 6;

/// The column of the block.
const BLOCK: usize = 9;

/// Kinds that have columns and prices of their own at least, and at most, those of
/// [`OPERATOR_NAMES`](lglp_sdk::plugin::operator::OPERATOR_NAMES) with the first codes: of the others, an operator costs what it ought
/// to, and what its like were found to. A fit has as many as the operators that it is of.
pub(crate) const FEWEST_KINDS: usize = 9;
pub(crate) const MOST_KINDS: usize = 22;

/// Operators that differ, of all networks of a fit, at most: each takes some kilobytes then.
const MOST_DISTINCT: usize = 60_000;

/// What an operator is: all that its cost depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    #[serde(with = "kind")]
    pub kind: u8,
    pub kernel: u16,
    pub stride: u16,
    pub groups: u32,
    pub channels_in: u32,
    pub channels_out: u32,
    /// Pixels.
    pub side_in: u32,
    /// Pixels.
    pub side_out: u32,
    #[serde(with = "activation")]
    pub activation: u8,
}

/// What an operator does, at batch 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Work {
    /// Multiply-accumulates, thousands.
    pub kmacs: f64,
    /// Values read and written, KiB.
    pub activation_kib: f64,
    /// Weights and biases, KiB.
    pub weight_kib: f64,
    pub launches: f64,
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operator {
    #[serde(flatten)]
    pub shape: Shape,
    #[serde(flatten)]
    pub work: Work,
}

/// What is looked up for each operator of each network that is predicted.
pub(crate) type ByShape<T> = HashMap<Shape, T, RandomState>;

/// Where an operator stands: block and layer, from 1; 0 outside of the searched ones.
pub(crate) type Place = (u16, u16);

impl Operator {
    /// Reads a step; `None` for the zeros behind the last operator.
    ///
    /// # Errors
    /// `Failed` for what the encoder never gives.
    pub(crate) fn read(step: &[f32]) -> Result<Option<(Self, Place)>, PluginError> {
        if step[0] == 0.0 {
            return Ok(None);
        }
        // All of them at once, whatever the first says: no number fails both comparisons.
        let valid = step.iter().fold(true, |valid, x| valid & (*x >= 0.0) & (*x < 1e12));
        if !valid || step[0] > f32::from(u8::MAX) {
            let message = format!("a step is no operator: {step:?}; the regressor reads the encoder `operators`");
            return Err(PluginError::Failed(message));
        }
        let shape = Shape {
            kind: step[0] as u8,
            kernel: step[1] as u16,
            stride: step[2] as u16,
            groups: step[3] as u32,
            channels_in: step[4] as u32,
            channels_out: step[5] as u32,
            side_in: step[6] as u32,
            side_out: step[7] as u32,
            activation: step[8] as u8,
        };
        let work = Work {
            kmacs: f64::from(step[12]),
            activation_kib: f64::from(step[13]),
            weight_kib: f64::from(step[14]),
            launches: f64::from(step[11]),
        };
        Ok(Some((Self { shape, work }, (step[9] as u16, step[10] as u16))))
    }

    /// The place of its kind among so many of their own.
    pub(crate) fn kind(&self, kinds: usize) -> Option<usize> {
        Some(usize::from(self.shape.kind) - 1).filter(|kind| *kind < kinds)
    }

    /// KiB that it moves: values, and weights where each is used once.
    pub(crate) fn moved_kib(&self) -> f64 {
        let once = if self.shape.side_out <= 1 {
            self.work.weight_kib
        } else {
            0.0
        };
        self.work.activation_kib + once
    }

    /// Where kernels measure distances: logarithms of channels in, channels out, side.
    pub(crate) fn point(&self) -> [f64; 3] {
        let log = |count: u32| f64::from(count.max(1)).log2();
        [
            log(self.shape.channels_in),
            log(self.shape.channels_out),
            log(self.shape.side_out),
        ]
    }

    /// Where kernels measure distances among operators of any network: logarithms of channels in of a group, channels out, side, places of the
    /// kernel, groups.
    pub(crate) fn wide_point(&self) -> [f64; 5] {
        let log = |count: f64| count.max(1.0).log2();
        let [_, channels_out, side] = self.point();
        let groups = f64::from(self.shape.groups.max(1));
        let kernel = f64::from(self.shape.kernel);
        [
            log(f64::from(self.shape.channels_in) / groups),
            channels_out,
            side,
            log(kernel * kernel),
            log(groups),
        ]
    }

    /// What must be alike for operators to be of one category.
    pub(crate) fn category(&self) -> (u8, u16, u16, u8) {
        let Shape {
            kind,
            kernel,
            stride,
            activation,
            ..
        } = self.shape;
        (kind, kernel, stride, activation)
    }
}

/// One network: its operators as numbers in a [`Catalogue`], each with its place, in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    pub operators: Vec<(u32, Place)>,
    /// Side of the input, pixels; `None` in a network that is of no search space, where it tells nothing.
    pub resolution: Option<u32>,
}

/// The resolution of a network, as [`Network::resolution`], from its row.
pub(crate) fn resolution_of(row: &[f32]) -> Option<u32> {
    let mut steps = row.chunks_exact(WIDTH).take_while(|step| step[0] != 0.0);
    let is_searched = steps.any(|step| step[BLOCK] != 0.0);
    is_searched.then_some(row[SIDE_IN] as u32)
}

impl Network {
    /// What its operators are, each with its place.
    pub(crate) fn shapes<'a>(&'a self, catalogue: &'a Catalogue) -> impl Iterator<Item = (&'a Shape, Place)> {
        let operators = &catalogue.operators;
        let shape = |(number, place): &(u32, Place)| (&operators[*number as usize].shape, *place);
        self.operators.iter().map(shape)
    }
}

/// Distinct operators, numbered in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub operators: Vec<Operator>,
    numbers: ByShape<u32>,
}

impl Catalogue {
    /// A catalogue of operators that are distinct.
    pub(crate) fn of(operators: Vec<Operator>) -> Self {
        let numbers = operators
            .iter()
            .zip(0..)
            .map(|(operator, number)| (operator.shape, number));
        Self {
            numbers: numbers.collect(),
            operators,
        }
    }

    /// The number of an operator, which is added where it is new.
    pub(crate) fn number(&mut self, operator: Operator) -> u32 {
        *self.numbers.entry(operator.shape).or_insert_with(|| {
            self.operators.push(operator);
            self.operators.len() as u32 - 1
        })
    }

    /// How many kinds the operators have columns for.
    pub(crate) fn kinds(&self) -> usize {
        let own = |operator: &Operator| usize::from(operator.shape.kind);
        let most = self.operators.iter().map(own).filter(|kind| *kind <= MOST_KINDS).max();
        most.unwrap_or(0).max(FEWEST_KINDS)
    }

    /// The number of a shape that is in the catalogue.
    pub(crate) fn find(&self, shape: &Shape) -> Option<u32> {
        self.numbers.get(shape).copied()
    }

    /// Reads networks, adding what is new.
    ///
    /// # Errors
    /// `Failed` for rows that are no tables of operators.
    pub(crate) fn read(&mut self, inputs: &Tensor<'_>) -> Result<Vec<Network>, PluginError> {
        check_width(inputs)?;
        (0..inputs.rows)
            .map(|row| {
                let mut operators = Vec::new();
                for step in inputs.row(row).chunks_exact(WIDTH) {
                    let Some((operator, place)) = Operator::read(step)? else {
                        break;
                    };
                    operators.push((self.number(operator), place));
                }
                if operators.is_empty() {
                    return Err(PluginError::Failed(format!("network {row} has no operators")));
                }
                if self.operators.len() > MOST_DISTINCT {
                    let message =
                        format!("more than {MOST_DISTINCT} operators that differ; exclude networks that are none");
                    return Err(PluginError::Failed(message));
                }
                Ok(Network {
                    operators,
                    resolution: resolution_of(inputs.row(row)),
                })
            })
            .collect()
    }
}

/// Refuses inputs that are no tables of operators.
///
/// # Errors
/// `Failed`, naming both widths.
pub(crate) fn check_width(inputs: &Tensor<'_>) -> Result<(), PluginError> {
    if inputs.shape.width == WIDTH {
        return Ok(());
    }
    let width = inputs.shape.width;
    Err(PluginError::Failed(format!(
        "inputs of width {width}; this regressor reads operators of {WIDTH} columns: give the recipe the encoder `operators`"
    )))
}

/// Codes as names.
macro_rules! named {
    ($module:ident, $names:path) => {
        mod $module {
            use lglp_sdk::plugin::operator::{code_of, name_of};
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub(super) fn serialize<S: Serializer>(code: &u8, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(name_of(u32::from(*code), $names))
            }

            pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u8, D::Error> {
                let code = code_of(&String::deserialize(from)?, $names);
                code.map(|code| code as u8)
                    .ok_or_else(|| D::Error::custom("no such code"))
            }
        }
    };
}

named!(kind, lglp_sdk::plugin::operator::OPERATOR_NAMES);
named!(activation, lglp_sdk::plugin::operator::ACTIVATION_NAMES);

/// The prior cost of a network, milliseconds.
pub(crate) fn sum(network: &Network, costs: &[f64]) -> f64 {
    network
        .operators
        .iter()
        .map(|(operator, _)| costs[*operator as usize])
        .sum()
}
