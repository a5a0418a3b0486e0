//! Reading rows of choice indices.

use lglp_sdk::plugin::{PluginError, Rows};
use lglp_sdk::space::{COLUMNS_PER_LAYER, Choices};
use lglp_sdk::{ChainSpace, SearchSpace};

/// The chain that an encoding of the paper reads, which is what it is defined for.
pub(crate) fn chain<'a>(space: &'a SearchSpace, encoding: &str) -> Result<&'a ChainSpace, PluginError> {
    space.chain().ok_or_else(|| {
        let name = space.name();
        PluginError::Failed(format!(
            "encoding {encoding} reads layers of inverted residuals, and `{name}` has none; take a recipe that encodes `decisions`, \
             `operators` or `totals`"
        ))
    })
}

/// A present layer: 0-based choice indices.
pub(crate) struct LayerChoices {
    /// Position among all layer slots.
    pub slot: usize,
    pub kernel: usize,
    pub expansion: usize,
    pub stride: usize,
    pub se: usize,
    pub shortcut: usize,
}

/// Largest index of each column, and the length of a row.
pub(crate) struct RowFormat {
    resolutions: usize,
    limits: [usize; COLUMNS_PER_LAYER],
    len: usize,
}

impl RowFormat {
    pub(crate) fn new(choices: &Choices, slots: usize) -> Self {
        let limits = [
            choices.kernel.len(),
            choices.expansion.len(),
            choices.stride.len(),
            choices.se.len(),
            choices.shortcut.len(),
        ];
        Self {
            resolutions: choices.resolution.len(),
            limits,
            len: 1 + slots * COLUMNS_PER_LAYER,
        }
    }

    /// Checks a batch, so that reading its rows cannot fail.
    pub(crate) fn check(&self, rows: &Rows<'_>) -> Result<(), PluginError> {
        let fail = |message: String| Err(PluginError::Failed(message));
        if rows.width != self.len {
            return fail(format!("rows have {} bytes; this space has {}", rows.width, self.len));
        }
        for (i, row) in rows.iter().enumerate() {
            let layers_fit = row[1..].chunks_exact(COLUMNS_PER_LAYER).all(|cells| {
                let present = cells[0] != 0;
                cells
                    .iter()
                    .zip(self.limits)
                    .all(|(cell, limit)| (*cell != 0) == present && usize::from(*cell) <= limit)
            });
            if !layers_fit || !(1..=self.resolutions).contains(&usize::from(row[0])) {
                return fail(format!("row {i} holds choices that the space does not have"));
            }
        }
        Ok(())
    }
}

/// Index of a row's resolution.
pub(crate) fn resolution(row: &[u8]) -> usize {
    usize::from(row[0]) - 1
}

/// The present layers of a checked row.
pub(crate) fn layers(row: &[u8]) -> impl Iterator<Item = LayerChoices> {
    let cells = row[1..].chunks_exact(COLUMNS_PER_LAYER).enumerate();
    cells.filter(|(_, cells)| cells[0] != 0).map(|(slot, cells)| {
        let at = |column: usize| usize::from(cells[column]) - 1;
        LayerChoices {
            slot,
            kernel: at(0),
            expansion: at(1),
            stride: at(2),
            se: at(3),
            shortcut: at(4),
        }
    })
}
