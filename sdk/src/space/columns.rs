//! The bytes of a row, and what each of them chooses.

use super::{ChainSpace, Choice, SearchSpace};

/// What a byte of an architecture's row chooses; the byte is the 1-based index of the choice, or 0 where there is nothing to choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Such as `resolution`, `edge.3` or `block2.layer1.kernel`.
    pub name: String,
    /// What may be chosen.
    pub choices: Vec<Choice>,
}

impl SearchSpace {
    /// What each byte of a row chooses.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Chain(space) => of_chain(space),
            Self::Decisions(space) => {
                let columns = space.columns().iter();
                columns.map(|column| column.column.clone()).collect()
            }
        }
    }
}

fn of_chain(space: &ChainSpace) -> Vec<Column> {
    let numbers = |of: &[u32]| of.iter().map(|number| Choice::Whole(i64::from(*number))).collect();
    let switches = |of: &[bool]| of.iter().map(|is| Choice::Switch(*is)).collect();
    let choices = &space.choices;
    let attributes: [(&str, Vec<Choice>); 5] = [
        ("kernel", numbers(&choices.kernel)),
        ("expansion", numbers(&choices.expansion)),
        ("stride", numbers(&choices.stride)),
        ("se", switches(&choices.se)),
        ("shortcut", switches(&choices.shortcut)),
    ];
    let mut columns = vec![Column {
        name: "resolution".into(),
        choices: numbers(&choices.resolution),
    }];
    for (block, spec) in space.blocks.iter().enumerate() {
        for layer in 0..spec.slots() {
            columns.extend(attributes.iter().map(|(name, choices)| Column {
                name: format!("block{}.layer{}.{name}", block + 1, layer + 1),
                choices: choices.clone(),
            }));
        }
    }
    columns
}
