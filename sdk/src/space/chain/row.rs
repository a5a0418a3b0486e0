//! Rows of chains, from what is chosen for each layer.

use super::{COLUMNS_PER_LAYER, ChainSpace};
use crate::architecture::Architecture;

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
    space: &'a ChainSpace,
    row: Vec<u8>,
}

impl<'a> RowBuilder<'a> {
    pub(crate) fn new(space: &'a ChainSpace, resolution: u32) -> Self {
        let mut row = vec![0; space.row_len()];
        row[0] = checked(&space.choices.resolution, resolution);
        Self { space, row }
    }

    pub(crate) fn layer(&mut self, block: usize, layer: usize, choice: LayerChoice) {
        let at = 1 + (self.space.first_slot(block) + layer) * COLUMNS_PER_LAYER;
        let choices = &self.space.choices;
        self.row[at..at + COLUMNS_PER_LAYER].copy_from_slice(&[
            checked(&choices.kernel, choice.kernel),
            checked(&choices.expansion, choice.expansion),
            checked(&choices.stride, choice.stride),
            checked(&choices.se, choice.se),
            checked(&choices.shortcut, choice.shortcut),
        ]);
    }

    pub(crate) fn finish(self) -> Architecture {
        Architecture::unchecked(&self.row)
    }
}

/// The cell of a value; `None` where it is not among the choices, which are fewer than 255.
pub(crate) fn index_of<T: PartialEq>(choices: &[T], value: T) -> Option<u8> {
    let at = choices.iter().position(|choice| *choice == value)?;
    u8::try_from(at + 1).ok()
}

fn checked<T: PartialEq>(choices: &[T], value: T) -> u8 {
    index_of(choices, value).expect("the value was checked against the choices")
}
