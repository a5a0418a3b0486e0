//! Weights laid out for products: what is multiplied with one input lies side by side.

use crate::lines::Lines;

/// Gates of a cell, in PyTorch's order: input, forget, cell, output.
pub(crate) const GATES: usize = 4;

/// Hidden units of a layer's direction, or of all its directions side by side, each filled up with zeros to whole registers.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    /// 1 or 2.
    pub directions: usize,
    /// Of a direction.
    pub count: usize,
    /// The same, filled up.
    pub padded: usize,
}

impl Units {
    pub(crate) fn new(directions: usize, count: usize, lanes: usize) -> Self {
        let padded = count.next_multiple_of(lanes);
        Self {
            directions,
            count,
            padded,
        }
    }

    /// Of one direction.
    pub(crate) fn alone(self) -> Self {
        Self { directions: 1, ..self }
    }

    pub(crate) fn width(self) -> usize {
        self.directions * self.padded
    }

    /// The columns of a matrix that is not filled up, in the place of each of [`Self::width`]; none where there are zeros.
    pub(crate) fn columns(self) -> impl Iterator<Item = Option<usize>> {
        (0..self.width()).map(move |at| {
            let (direction, unit) = (at / self.padded, at % self.padded);
            (unit < self.count).then_some(direction * self.count + unit)
        })
    }
}

/// A matrix `[4 * hidden, columns]` in panels: `[panel][input][gate][lane]`, a panel being as many hidden units as a register has lanes.
pub(crate) struct Panels {
    values: Lines,
    /// Values of a panel.
    len: usize,
}

impl Panels {
    pub(crate) fn pack(
        matrix: &[f32],
        hidden: usize,
        columns: impl Iterator<Item = Option<usize>>,
        lanes: usize,
    ) -> Self {
        let width = matrix.len() / (GATES * hidden);
        let columns: Vec<Option<usize>> = columns.collect();
        let (panels, len) = (hidden.div_ceil(lanes), columns.len() * GATES * lanes);
        let mut values = Lines::zeros(panels * len);
        for (place, value) in values.iter_mut().enumerate() {
            let (panel, within) = (place / len, place % len);
            let (input, within) = (within / (GATES * lanes), within % (GATES * lanes));
            let (gate, unit) = (within / lanes, panel * lanes + within % lanes);
            if let (Some(column), true) = (columns[input], unit < hidden) {
                *value = matrix[(gate * hidden + unit) * width + column];
            }
        }
        Self { values, len }
    }

    pub(crate) fn panel(&self, at: usize) -> &[f32] {
        &self.values[at * self.len..][..self.len]
    }
}
