//! Trees laid out for prediction.
//!
//! The nodes of a tree lie breadth first, and the two children of a split side by side, so that a step of the walk is one
//! comparison without a branch. A leaf leads to itself. Eight walks run at once, because each waits for memory most of the
//! time: of eight rows through one tree where there are rows enough, else of one row through eight trees.

use std::collections::VecDeque;

use crate::error::FormatError;
use crate::reader::{Model, read};
use crate::threshold::{ZERO, narrowed};
use crate::tree::{Child, Missing, Tree};

/// Walks that run at once.
const LANES: usize = 8;
/// Rows that visit a tree before the next one: a tree stays in the nearest cache meanwhile, and the rows in the next.
const BLOCK: usize = 64;
/// Fewer rows than these take the trees eight at a time.
const FEW: usize = 4;

/// A split, or a leaf.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Inputs up to here go to the child at `next`, others to the one behind it. A leaf's is NaN, above which no input is.
    threshold: f32,
    feature: u32,
    /// Within the tree.
    next: u32,
}

/// Where a split sends what a comparison does not tell.
#[derive(Clone, Copy, Debug)]
struct Special {
    nan_goes_right: bool,
    /// Where zero is missing.
    zero_goes_right: Option<bool>,
}

/// A fitted forest, whose prediction is the sum of its trees' leaves.
#[derive(Clone, Debug)]
pub struct Forest {
    features: usize,
    nodes: Vec<Node>,
    /// Of each node; what a split holds is not read.
    values: Vec<f64>,
    /// Of each node.
    specials: Vec<Special>,
    /// Where each tree's nodes begin, and where the last one's end.
    starts: Vec<usize>,
    zero_is_missing: bool,
    visits: u64,
}

impl Forest {
    /// Reads LightGBM's model text.
    ///
    /// # Errors
    /// For everything but the whole text of a regression with one output and numerical splits, that LightGBM 4 wrote.
    pub fn from_text(text: &[u8]) -> Result<Self, FormatError> {
        let Model { features, trees } = read(text)?;
        let mut forest = Self {
            features,
            nodes: Vec::new(),
            values: Vec::new(),
            specials: Vec::new(),
            starts: vec![0],
            zero_is_missing: false,
            visits: 0,
        };
        let mut most = 0.0;
        for tree in &trees {
            most += tree.leaves.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            forest.plant(tree);
        }
        // No sum of leaves, whichever they are, leaves the range of numbers.
        if f64::is_finite(most) {
            return Ok(forest);
        }
        Err(FormatError {
            line: 1,
            tree: None,
            field: "leaf_value",
            problem: "the values of all trees have no finite sum".to_owned(),
        })
    }

    /// Values of a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.starts.len() - 1
    }

    /// Nodes that a row visits at most: those on the longest way of each tree.
    pub fn visits(&self) -> u64 {
        self.visits
    }

    fn plant(&mut self, tree: &Tree) {
        let root = if tree.splits.is_empty() {
            Child::Leaf(0)
        } else {
            Child::Split(0)
        };
        let mut waiting = VecDeque::from([(root, 1)]);
        let mut placed = 1;
        // Breadth first: no node lies deeper than the last one.
        let mut deepest = 0;
        while let Some((child, depth)) = waiting.pop_front() {
            deepest = depth;
            let own = (self.nodes.len() - self.starts[self.starts.len() - 1]) as u32;
            match child {
                Child::Leaf(leaf) => {
                    self.nodes.push(Node {
                        threshold: f32::NAN,
                        feature: 0,
                        next: own,
                    });
                    self.values.push(tree.leaves[leaf]);
                    self.specials.push(Special {
                        nan_goes_right: false,
                        zero_goes_right: None,
                    });
                }
                Child::Split(split) => {
                    let split = &tree.splits[split];
                    let threshold = narrowed(split.threshold);
                    self.nodes.push(Node {
                        threshold,
                        feature: split.feature,
                        next: placed,
                    });
                    placed += 2;
                    self.values.push(0.0);
                    self.specials.push(Special {
                        nan_goes_right: match split.missing {
                            Missing::None => 0.0 > threshold,
                            Missing::Zero | Missing::Nan => !split.default_left,
                        },
                        zero_goes_right: (split.missing == Missing::Zero).then_some(!split.default_left),
                    });
                    self.zero_is_missing |= split.missing == Missing::Zero;
                    waiting.extend(split.children.map(|child| (child, depth + 1)));
                }
            }
        }
        self.starts.push(self.nodes.len());
        self.visits += deepest;
    }

    /// Predicts rows of [`Self::features`] values each, in the unit of the targets that the forest was fitted to, as LightGBM
    /// does, bit by bit: trees are added up in their order.
    ///
    /// # Panics
    /// Where `inputs` does not hold one row for each value of `out`.
    pub fn predict(&self, inputs: &[f32], out: &mut [f64]) {
        assert_eq!(inputs.len(), out.len() * self.features, "one row for each prediction");
        let blocks = inputs.chunks(BLOCK * self.features).zip(out.chunks_mut(BLOCK));
        for (rows, out) in blocks {
            out.fill(0.0);
            let plain = !self.zero_is_missing && !rows.iter().any(|value| value.is_nan());
            if plain && out.len() >= FEW {
                self.add_rows(rows, out);
                continue;
            }
            for (row, out) in rows.chunks(self.features).zip(out) {
                *out = if plain {
                    self.sum(row)
                } else {
                    self.sum_with_missing(row)
                };
            }
        }
    }

    /// Adds every tree's leaf to each row's prediction, eight rows at a time.
    fn add_rows(&self, rows: &[f32], out: &mut [f64]) {
        for bounds in self.starts.windows(2) {
            let (nodes, values) = (&self.nodes[bounds[0]..bounds[1]], &self.values[bounds[0]..bounds[1]]);
            let groups = rows.chunks(LANES * self.features).zip(out.chunks_mut(LANES));
            for (rows, out) in groups {
                let last = out.len() - 1;
                // A group that is not full walks its last row again.
                let lanes: [&[f32]; LANES] =
                    std::array::from_fn(|lane| &rows[lane.min(last) * self.features..][..self.features]);
                let leaves = walk(nodes, [0; LANES], [0; LANES], lanes);
                for (out, leaf) in out.iter_mut().zip(leaves) {
                    *out += values[leaf];
                }
            }
        }
    }

    /// The prediction of one row, eight trees at a time.
    fn sum(&self, row: &[f32]) -> f64 {
        let mut sum = 0.0;
        let mut starts = self.starts[..self.trees()].chunks_exact(LANES);
        for starts in &mut starts {
            let starts: [usize; LANES] = std::array::from_fn(|lane| starts[lane]);
            for leaf in walk(&self.nodes, starts, [0; LANES], [row; LANES]) {
                sum += self.values[leaf];
            }
        }
        for start in starts.remainder() {
            let [leaf] = walk(&self.nodes, [*start], [0], [row]);
            sum += self.values[leaf];
        }
        sum
    }

    /// The prediction of one row that has, or may have, missing values.
    fn sum_with_missing(&self, row: &[f32]) -> f64 {
        let leaf = |start: &usize| {
            let mut at = *start;
            loop {
                let (node, special) = (self.nodes[at], self.specials[at]);
                let value = row[node.feature as usize];
                let right = match special.zero_goes_right {
                    Some(right) if value.abs() <= ZERO => right,
                    _ if value.is_nan() => special.nan_goes_right,
                    _ => value > node.threshold,
                };
                let next = start + node.next as usize + usize::from(right);
                if next == at {
                    return self.values[at];
                }
                at = next;
            }
        };
        self.starts[..self.trees()]
            .iter()
            .map(leaf)
            .fold(0.0, |sum, leaf| sum + leaf)
    }
}

/// Walks several rows through trees that begin at `starts`; the indices of their leaves.
#[inline(always)]
fn walk<const N: usize>(nodes: &[Node], starts: [usize; N], mut at: [u32; N], rows: [&[f32]; N]) -> [usize; N] {
    loop {
        let mut moved = 0;
        for lane in 0..N {
            let node = nodes[starts[lane] + at[lane] as usize];
            let right = rows[lane][node.feature as usize] > node.threshold;
            let next = node.next + u32::from(right);
            moved |= next ^ at[lane];
            at[lane] = next;
        }
        if moved == 0 {
            return std::array::from_fn(|lane| starts[lane] + at[lane] as usize);
        }
    }
}
