//! Architectures: one point of a space, as a row of choice indices.

use sha2::{Digest, Sha256};

use crate::space::{COLUMNS_PER_LAYER, SearchSpace};

/// One point of a search space.
///
/// In memory it is a row of `u8`: `[resolution, (kernel, expansion, stride, se, shortcut) per layer slot]`, each cell the
/// 1-based index into the space's [`Choices`](crate::space::Choices), 0 where the layer is absent. A value of this type
/// has been checked against its space; it is only meaningful together with that space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Architecture {
    row: Box<[u8]>,
}

impl Architecture {
    /// A row that is yet to be checked.
    pub(crate) fn unchecked(row: &[u8]) -> Self {
        Self { row: row.into() }
    }

    /// The row of choice indices, [`SearchSpace::row_len`] bytes.
    pub fn row(&self) -> &[u8] {
        &self.row
    }
}

impl SearchSpace {
    /// SHA-256 of the canonical text, 64 hexadecimal digits: the same architecture has the same digest everywhere.
    pub fn architecture_digest(&self, architecture: &Architecture) -> String {
        let hash = Sha256::digest(self.canonical_text(architecture));
        hash.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// What is chosen for one layer: the columns of a row, as values.
#[derive(Clone, Copy)]
pub(crate) struct LayerChoice {
    pub kernel: u32,
    pub expansion: u32,
    pub stride: u32,
    pub se: bool,
    pub shortcut: bool,
}

/// Fills a row from values that are known to be among the space's choices.
pub(crate) struct RowBuilder<'a> {
    space: &'a SearchSpace,
    row: Vec<u8>,
}

impl<'a> RowBuilder<'a> {
    pub(crate) fn new(space: &'a SearchSpace, resolution: u32) -> Self {
        let mut row = vec![0; space.row_len()];
        row[0] = index_of(&space.choices.resolution, resolution);
        Self { space, row }
    }

    pub(crate) fn layer(&mut self, block: usize, layer: usize, choice: LayerChoice) {
        let at = 1 + (self.space.first_slot(block) + layer) * COLUMNS_PER_LAYER;
        let choices = &self.space.choices;
        self.row[at..at + COLUMNS_PER_LAYER].copy_from_slice(&[
            index_of(&choices.kernel, choice.kernel),
            index_of(&choices.expansion, choice.expansion),
            index_of(&choices.stride, choice.stride),
            index_of(&choices.se, choice.se),
            index_of(&choices.shortcut, choice.shortcut),
        ]);
    }

    pub(crate) fn finish(self) -> Architecture {
        Architecture { row: self.row.into() }
    }
}

fn index_of<T: PartialEq>(choices: &[T], value: T) -> u8 {
    let at = choices
        .iter()
        .position(|c| *c == value)
        .expect("the value was checked against the choices");
    at as u8 + 1
}
