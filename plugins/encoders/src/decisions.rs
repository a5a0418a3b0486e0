//! Encoding `decisions`: what is chosen, whatever the space, one-hot; of numbers also how large they are.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use lglp_sdk::space::{Choice, Column};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct Decisions {
    /// Of each byte of a row, what each of its choices is encoded as.
    columns: Vec<Vec<Vec<f32>>>,
    width: usize,
}

/// One-hot, and behind it the number relative to the largest, where each choice is one and they are more than a switch.
fn encoded(column: &Column) -> Vec<Vec<f32>> {
    let count = column.choices.len();
    let one_hot = |at: usize| (0..count).map(move |other| f32::from(u8::from(other == at)));
    let numbers: Option<Vec<f64>> = column.choices.iter().map(Choice::number).collect();
    let largest = numbers
        .iter()
        .flatten()
        .fold(0.0, |most: f64, number| most.max(number.abs()));
    let number = |at: usize| match &numbers {
        Some(numbers) if count > 2 && largest > 0.0 => Some((numbers[at] / largest) as f32),
        _ => None,
    };
    (0..count).map(|at| one_hot(at).chain(number(at)).collect()).collect()
}

impl Encoder for Decisions {
    const NAME: &'static str = "decisions";
    const SUMMARY: &'static str = "what is chosen, one-hot, and numbers also by their size; of any space";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, _: Parameters) -> Result<Self, PluginError> {
        let columns: Vec<Vec<Vec<f32>>> = space.columns().iter().map(encoded).collect();
        let width = columns.iter().map(|choices| choices.first().map_or(0, Vec::len)).sum();
        Ok(Self { columns, width })
    }

    fn shape(&self) -> Shape {
        Shape {
            steps: 1,
            width: self.width,
        }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        if rows.width != self.columns.len() {
            let (told, own) = (rows.width, self.columns.len());
            return Err(PluginError::Failed(format!(
                "rows have {told} bytes; this space has {own}"
            )));
        }
        for (number, (row, mut out)) in rows.iter().zip(out.chunks_exact_mut(self.width)).enumerate() {
            for (cell, choices) in row.iter().zip(&self.columns) {
                let (own, rest) = out.split_at_mut(choices.first().map_or(0, Vec::len));
                if let Some(choice) = usize::from(*cell).checked_sub(1) {
                    let encoded = choices.get(choice).ok_or_else(|| {
                        PluginError::Failed(format!("row {number} holds choices that the space does not have"))
                    })?;
                    own.copy_from_slice(encoded);
                }
                out = rest;
            }
        }
        Ok(())
    }
}
