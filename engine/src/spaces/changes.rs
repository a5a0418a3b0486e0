//! Architectures that differ in one choice.

use lglp_sdk::space::{COLUMNS_PER_LAYER, DecisionSpace};
use lglp_sdk::{Architecture, ChainSpace, SearchSpace};

/// An architecture that differs in one choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What is chosen otherwise, in words.
    pub words: String,
    /// The architecture that the change leads to.
    pub architecture: Architecture,
}

/// Columns of a layer.
pub(crate) const KERNEL: usize = 0;
pub(crate) const EXPANSION: usize = 1;
pub(crate) const STRIDE: usize = 2;
pub(crate) const SE: usize = 3;
pub(crate) const SHORTCUT: usize = 4;

/// Every architecture of a space of chains that differs from this one in the resolution, in one choice of a layer, in what all layers of a
/// block share, or in the depth of a block by one; of any other space, in one decision and what depends on it.
pub fn single_changes(space: &SearchSpace, architecture: &Architecture) -> Vec<Change> {
    let mut changes = Changes {
        space,
        row: architecture.row(),
        found: Vec::new(),
    };
    match space {
        SearchSpace::Chain(chain) => of_chain(chain, &mut changes),
        SearchSpace::Decisions(decisions) => of_decisions(space, decisions, &mut changes),
    }
    changes.found
}

fn of_decisions(space: &SearchSpace, decisions: &DecisionSpace, changes: &mut Changes<'_>) {
    for (at, column) in space.columns().iter().enumerate() {
        let now = usize::from(changes.row[at]);
        for other in (1..=column.choices.len()).filter(|other| now != 0 && *other != now) {
            let mut row = changes.row.to_vec();
            row[at] = other as u8;
            decisions.complete(&mut row);
            let [from, to] = [now, other].map(|choice| &column.choices[choice - 1]);
            changes.add(&row, format!("{}: {from} to {to}", column.name));
        }
    }
}

fn of_chain(space: &ChainSpace, changes: &mut Changes<'_>) {
    let row = changes.row;
    let resolutions = &space.choices.resolution;
    let words = |from: usize, to: usize| format!("resolution: {} to {}", resolutions[from], resolutions[to]);
    changes.each(&[0], resolutions.len(), words);
    for (block, spec) in space.blocks.iter().enumerate() {
        let first = 1 + space.first_slot(block) * COLUMNS_PER_LAYER;
        let begin = |layer: usize| first + layer * COLUMNS_PER_LAYER;
        let depth = (0..spec.slots()).take_while(|layer| row[begin(*layer)] != 0).count();
        let number = block + 1;
        for layer in 0..depth {
            let of = format!("of layer {} of block {number}", layer + 1);
            let kernels = &space.choices.kernel;
            let words = |from: usize, to: usize| format!("kernel {of}: {} to {}", kernels[from], kernels[to]);
            changes.each(&[begin(layer) + KERNEL], kernels.len(), words);
            let expansions = &space.choices.expansion;
            let words = |from: usize, to: usize| format!("expansion {of}: {} to {}", expansions[from], expansions[to]);
            changes.each(&[begin(layer) + EXPANSION], expansions.len(), words);
            let words =
                |from: usize, to: usize| format!("shortcut {of}: {}", switched(&space.choices.shortcut, from, to));
            changes.each(&[begin(layer) + SHORTCUT], space.choices.shortcut.len(), words);
        }
        let strides = &space.choices.stride;
        let words = |from: usize, to: usize| format!("stride of block {number}: {} to {}", strides[from], strides[to]);
        changes.each(&[begin(0) + STRIDE], strides.len(), words);
        let all: Vec<usize> = (0..depth).map(|layer| begin(layer) + SE).collect();
        let words = |from: usize, to: usize| {
            format!(
                "squeeze-and-excitation of block {number}: {}",
                switched(&space.choices.se, from, to)
            )
        };
        changes.each(&all, space.choices.se.len(), words);
        if depth > 1 {
            let mut shorter = row.to_vec();
            shorter[begin(depth - 1)..][..COLUMNS_PER_LAYER].fill(0);
            changes.add(&shorter, format!("depth of block {number}: {depth} to {}", depth - 1));
        }
        if (1..spec.slots()).contains(&depth) {
            let mut longer = row.to_vec();
            lengthen(space, &mut longer, begin(depth), depth);
            changes.add(&longer, format!("depth of block {number}: {depth} to {}", depth + 1));
        }
    }
}

/// Adds a layer at `end` behind the `depth` layers of a block: as the last one is, but for the stride, which only a first layer has.
pub(crate) fn lengthen(space: &ChainSpace, row: &mut [u8], end: usize, depth: usize) {
    row.copy_within(end - COLUMNS_PER_LAYER..end, end);
    let one = space.choices.stride.iter().position(|stride| *stride == 1);
    if let (1, Some(one)) = (depth, one) {
        row[end + STRIDE] = one as u8 + 1;
    }
}

fn switched(choices: &[bool], from: usize, to: usize) -> String {
    let word = |at: usize| if choices[at] { "on" } else { "off" };
    format!("{} to {}", word(from), word(to))
}

struct Changes<'a> {
    space: &'a SearchSpace,
    row: &'a [u8],
    found: Vec<Change>,
}

impl Changes<'_> {
    /// Every other choice of some columns, which hold one and the same.
    fn each(&mut self, columns: &[usize], choices: usize, words: impl Fn(usize, usize) -> String) {
        let Some(now) = columns.first().map(|column| usize::from(self.row[*column])) else {
            return;
        };
        for other in (1..=choices).filter(|other| *other != now) {
            let mut row = self.row.to_vec();
            columns.iter().for_each(|column| row[*column] = other as u8);
            self.add(&row, words(now - 1, other - 1));
        }
    }

    /// Keeps what the space has.
    fn add(&mut self, row: &[u8], words: String) {
        if let Ok(architecture) = self.space.architecture_from_row(row) {
            self.found.push(Change { words, architecture });
        }
    }
}
