//! Rows that were not built here.

use super::super::ArchitectureError;
use super::draft::{ReadablePlaces, finish, of};
use crate::architecture::Architecture;
use crate::space::{COLUMNS_PER_LAYER, ChainSpace};

/// Checks a row that was not built here: indices in range, layers packed to the front of their block, values allowed.
pub(in crate::forms) fn check_row(space: &ChainSpace, architecture: &Architecture) -> Result<(), ArchitectureError> {
    let row = architecture.row();
    let fail = |message: String| Err(ArchitectureError::new("", message));
    if row.len() != space.row_len() {
        return fail(format!(
            "a row of `{}` has {} bytes, not {}",
            space.name,
            space.row_len(),
            row.len()
        ));
    }
    if keeps_all_rules(space, row) {
        return Ok(());
    }
    let c = &space.choices;
    let limits = [
        c.kernel.len(),
        c.expansion.len(),
        c.stride.len(),
        c.se.len(),
        c.shortcut.len(),
    ];
    if row[0] == 0 || usize::from(row[0]) > c.resolution.len() {
        return fail(format!(
            "byte 0 (resolution) is {}; allowed: 1 to {}",
            row[0],
            c.resolution.len()
        ));
    }
    for (slot, cells) in row[1..].chunks_exact(COLUMNS_PER_LAYER).enumerate() {
        let absent = cells[0] == 0;
        for (column, (cell, limit)) in cells.iter().zip(limits).enumerate() {
            if absent != (*cell == 0) || usize::from(*cell) > limit {
                let byte = 1 + slot * COLUMNS_PER_LAYER + column;
                return fail(format!(
                    "byte {byte} (layer slot {slot}) is {cell}; allowed: 1 to {limit}, or all 0 for an absent layer"
                ));
            }
        }
    }
    for (b, block) in space.blocks.iter().enumerate() {
        let first = space.first_slot(b);
        let present: Vec<bool> = (first..first + block.slots())
            .map(|s| row[1 + s * COLUMNS_PER_LAYER] != 0)
            .collect();
        if present.is_sorted_by(|a, b| a >= b) && present[0] {
            continue;
        }
        return fail(format!(
            "block {b}: its layers must fill its first slots, and there must be one"
        ));
    }
    let rebuilt = finish(space, &of(space, architecture), &ReadablePlaces)?;
    if rebuilt.row() != row {
        return fail("layers of one block differ in se, or a later layer has a stride other than 1".into());
    }
    Ok(())
}

/// Whether a row is as a draft of the same values would make it, told without making one: most rows are.
fn keeps_all_rules(space: &ChainSpace, row: &[u8]) -> bool {
    /// The choice that a byte names; none where it is 0 or too large.
    fn choice<T: Copy>(choices: &[T], byte: u8) -> Option<T> {
        choices.get(usize::from(byte).checked_sub(1)?).copied()
    }
    let choices = &space.choices;
    let mut strides = Vec::with_capacity(space.blocks.len());
    let mut slots = row[1..].chunks_exact(COLUMNS_PER_LAYER);
    for block in &space.blocks {
        let (mut depth, mut se_of_block) = (0, None);
        for slot in 0..block.slots() {
            let Some(cells @ &[kernel, expansion, stride, se, shortcut]) = slots.next() else {
                return false;
            };
            if cells.iter().all(|cell| *cell == 0) {
                continue;
            }
            let (Some(_), Some(_), Some(stride), Some(se), Some(shortcut)) = (
                choice(&choices.kernel, kernel),
                choice(&choices.expansion, expansion),
                choice(&choices.stride, stride),
                choice(&choices.se, se),
                choice(&choices.shortcut, shortcut),
            ) else {
                return false;
            };
            let is_first = slot == 0;
            let stride_fits = if is_first {
                block.stride.contains(&stride)
            } else {
                stride == 1
            };
            let shortcut_fits = match block.shape_allows_shortcut(slot, stride) {
                true => block.shortcut.contains(&shortcut),
                false => !shortcut,
            };
            let is_of_block = *se_of_block.get_or_insert(se) == se;
            // Layers fill the first slots.
            if depth != slot || !stride_fits || !shortcut_fits || !is_of_block || !block.se.contains(&se) {
                return false;
            }
            if is_first {
                strides.push(stride);
            }
            depth += 1;
        }
        if !block.depth.contains(&(depth as u32)) {
            return false;
        }
    }
    choice(&choices.resolution, row[0]).is_some() && space.admits(&strides)
}
