//! Exact regression trees (CART, Breiman et al., 1984) on inputs of few distinct values, as encodings of architectures are.
//!
//! Each input's values are ranked once; a node adds up its targets by rank and so sees every possible threshold at the price
//! of one pass over its rows, without sorting.

use lglp_sdk::plugin::Tensor;
use serde::{Deserialize, Serialize};

/// Inputs by column, each value as its rank among the column's distinct ones.
pub(crate) struct Ranked {
    rows: usize,
    columns: Vec<Column>,
}

struct Column {
    /// Distinct values, ascending.
    values: Vec<f32>,
    /// One per row.
    ranks: Vec<u32>,
}

impl Ranked {
    pub(crate) fn new(inputs: &Tensor<'_>) -> Self {
        let column = |j: usize| {
            let cells: Vec<f32> = (0..inputs.rows).map(|i| inputs.row(i)[j]).collect();
            let mut values = cells.clone();
            values.sort_by(f32::total_cmp);
            values.dedup();
            let rank = |cell: &f32| values.partition_point(|v| v < cell) as u32;
            let ranks = cells.iter().map(rank).collect();
            Column { values, ranks }
        };
        Self {
            rows: inputs.rows,
            columns: (0..inputs.shape.len()).map(column).collect(),
        }
    }
}

/// A node: a split where it has children, else a leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Node {
    Split {
        input: usize,
        /// Rows with values up to here go to the first child.
        threshold: f32,
        /// Indices of the two children.
        children: [usize; 2],
    },
    Leaf {
        value: f64,
    },
}

/// A tree; its root is the first node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree(Vec<Node>);

/// Of the best split of a node.
struct Split {
    input: usize,
    /// Rows of ranks up to this one go to the first child.
    rank: u32,
    threshold: f32,
    score: f64,
}

impl Tree {
    /// Grows a tree of least squares. `predicted` receives the value of each row's leaf.
    pub(crate) fn grow(inputs: &Ranked, targets: &[f64], max_depth: u32, predicted: &mut [f64]) -> Self {
        let mut tree = Self(Vec::new());
        let rows = (0..inputs.rows as u32).collect();
        tree.grow_node(inputs, targets, rows, max_depth, predicted);
        tree
    }

    fn grow_node(
        &mut self,
        inputs: &Ranked,
        targets: &[f64],
        rows: Vec<u32>,
        depth_left: u32,
        predicted: &mut [f64],
    ) -> usize {
        let at = self.0.len();
        let n = rows.len() as f64;
        let mean = rows.iter().map(|r| targets[*r as usize]).sum::<f64>() / n;
        self.0.push(Node::Leaf { value: mean });
        let impurity = rows.iter().map(|r| (targets[*r as usize] - mean).powi(2)).sum::<f64>() / n;
        let split = if depth_left == 0 || impurity <= f64::EPSILON {
            None
        } else {
            best_split(inputs, targets, &rows)
        };
        let Some(split) = split else {
            for row in rows {
                predicted[row as usize] = mean;
            }
            return at;
        };
        let ranks = &inputs.columns[split.input].ranks;
        let (first, second): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(|r| ranks[*r as usize] <= split.rank);
        let children = [first, second].map(|rows| self.grow_node(inputs, targets, rows, depth_left - 1, predicted));
        self.0[at] = Node::Split {
            input: split.input,
            threshold: split.threshold,
            children,
        };
        at
    }

    /// The value of a row's leaf.
    pub(crate) fn predict(&self, row: &[f32]) -> f64 {
        let mut at = 0;
        loop {
            match &self.0[at] {
                Node::Leaf { value } => return *value,
                Node::Split {
                    input,
                    threshold,
                    children,
                } => at = children[usize::from(row[*input] > *threshold)],
            }
        }
    }

    /// Whether every split leads forward to nodes of the tree and reads one of `inputs` values, so that predicting ends.
    pub(crate) fn is_sound(&self, inputs: usize) -> bool {
        let sound = |(at, node): (usize, &Node)| match node {
            Node::Leaf { .. } => true,
            Node::Split { input, children, .. } => {
                *input < inputs && children.iter().all(|child| *child > at && *child < self.0.len())
            }
        };
        !self.0.is_empty() && self.0.iter().enumerate().all(sound)
    }

    /// Nodes of the longest way from the root of a sound tree to a leaf.
    pub(crate) fn depth(&self) -> usize {
        // Children lie behind their parents.
        let mut below = vec![1; self.0.len()];
        for (at, node) in self.0.iter().enumerate().rev() {
            if let Node::Split { children, .. } = node {
                below[at] = 1 + children.map(|child| below[child]).into_iter().fold(0, usize::max);
            }
        }
        below.first().copied().unwrap_or_default()
    }
}

/// The split that leaves the least squared error; of equally good ones the first.
fn best_split(inputs: &Ranked, targets: &[f64], rows: &[u32]) -> Option<Split> {
    let total: f64 = rows.iter().map(|r| targets[*r as usize]).sum();
    let mut best: Option<Split> = None;
    let (mut sums, mut counts) = (Vec::new(), Vec::new());
    for (input, column) in inputs.columns.iter().enumerate() {
        if column.values.len() < 2 {
            continue;
        }
        sums.clear();
        sums.resize(column.values.len(), 0.0);
        counts.clear();
        counts.resize(column.values.len(), 0u32);
        for row in rows {
            let rank = column.ranks[*row as usize] as usize;
            sums[rank] += targets[*row as usize];
            counts[rank] += 1;
        }
        let mut present = (0..counts.len()).filter(|rank| counts[*rank] > 0);
        let Some(mut below) = present.next() else { continue };
        let (mut sum, mut count) = (0.0, 0);
        for above in present {
            sum += sums[below];
            count += counts[below];
            let (first, second) = (f64::from(count), (rows.len() as u32 - count) as f64);
            // Squared error is a constant less this.
            let score = sum * sum / first + (total - sum).powi(2) / second;
            if best.as_ref().is_none_or(|b| score > b.score) {
                best = Some(Split {
                    input,
                    rank: below as u32,
                    threshold: middle(column.values[below], column.values[above]),
                    score,
                });
            }
            below = above;
        }
    }
    best
}

/// Halfway between two values, but below the upper one also where rounding would reach it.
fn middle(below: f32, above: f32) -> f32 {
    let middle = below / 2.0 + above / 2.0;
    if middle < above { middle } else { below }
}
