//! `Einsum`: a sum over products, written as letters of dimensions, such as `bij,bjk->bik`.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::fact::{MOST_DIMENSIONS, Shape};

/// A sum over products, its letters' sides known.
pub(crate) struct Einsum {
    /// How many values it multiplies.
    pub inputs: usize,
    /// Shape of what comes out.
    pub output: Shape,
    /// The sides of all letters: what is multiplied, each product once.
    pub sides: Vec<u64>,
    /// How many letters are summed over.
    pub summed: usize,
}

impl Einsum {
    /// Of an equation of letters; `...` is not read.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn of(call: &Call<'_>) -> Result<Self, String> {
        let equation = call.text("equation");
        let (inputs, output) = match equation.split_once("->") {
            Some((inputs, output)) => (inputs, Some(letters(output)?)),
            None => (equation, None),
        };
        let mut sides: BTreeMap<u8, u64> = BTreeMap::new();
        let mut read = Vec::new();
        for (at, input) in inputs.split(',').enumerate() {
            // More than there are inputs fail here.
            let (names, shape) = (letters(input)?, call.shape(at)?);
            if names.len() != shape.len() {
                return Err(format!("{} letters for an input of {shape:?}", names.len()));
            }
            for (name, side) in names.iter().zip(shape) {
                let known = sides.entry(*name).or_insert(*side);
                match (*known, *side) {
                    (known, side) if known == side || side == 1 => {}
                    (1, side) => *known = side,
                    (known, side) => return Err(format!("one letter for sides of {known} and {side}")),
                }
            }
            read.extend(names);
        }
        if inputs.split(',').count() != call.inputs.len() {
            return Err(format!("an equation of other than its {} inputs", call.inputs.len()));
        }
        // What an equation without an arrow gives is what it names once, in the order of the alphabet.
        let once = |name: &&u8| read.iter().filter(|other| other == name).count() == 1;
        let output = output.unwrap_or_else(|| sides.keys().filter(once).copied().collect());
        let named = output.iter().map(|name| sides.get(name).copied());
        let named = named.collect::<Option<Shape>>();
        Ok(Self {
            inputs: call.inputs.len(),
            output: named.ok_or("it gives a letter that no input has")?,
            summed: sides.keys().filter(|name| !output.contains(name)).count(),
            sides: sides.into_values().collect(),
        })
    }
}

/// The letters of one value.
fn letters(term: &str) -> Result<Vec<u8>, String> {
    let names: Vec<u8> = term
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .take(MOST_DIMENSIONS + 1)
        .collect();
    if names.len() > MOST_DIMENSIONS || !names.iter().all(u8::is_ascii_alphabetic) {
        return Err("its equation is no list of letters for each value".into());
    }
    Ok(names)
}
