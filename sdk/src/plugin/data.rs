//! What crosses between host and plugin, as a plugin author sees it: views of the host's memory, never copies.

use super::PluginError;
pub use super::abi::Operator;

/// Architectures as rows of choice indices (see [`Architecture`](crate::Architecture)), contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `count * width` bytes.
    pub data: &'a [u8],
    /// Number of architectures.
    pub count: usize,
    /// Bytes of one row: [`SearchSpace::row_len`](crate::SearchSpace::row_len).
    pub width: usize,
}

impl<'a> Rows<'a> {
    /// The rows one by one.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.data.chunks_exact(self.width)
    }
}

/// Networks as their operators, batch 1; see [`Operator`].
#[derive(Clone, Copy, Debug)]
pub struct Networks<'a> {
    /// Those of all networks, one network after another, each in the order in which it runs.
    pub operators: &'a [Operator],
    /// Where the operators of each network end.
    pub ends: &'a [usize],
    /// The most operators that a network has, of these or of any others that are encoded alike.
    pub most: usize,
}

impl<'a> Networks<'a> {
    /// The operators of one network after another.
    pub fn iter(&self) -> impl Iterator<Item = &'a [Operator]> {
        let (operators, mut begin) = (self.operators, 0);
        self.ends.iter().map(move |end| {
            let network = &operators[begin..*end];
            begin = *end;
            network
        })
    }
}

/// Shape of one encoded architecture: a sequence of vectors; flat encodings have one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Vectors of the sequence.
    pub steps: usize,
    /// Values of a vector.
    pub width: usize,
}

impl Shape {
    /// Values of one encoded architecture.
    pub fn len(&self) -> usize {
        self.steps * self.width
    }

    /// Whether an encoded architecture has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A batch of encoded architectures or features, row-major `[rows, steps, width]`.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// `rows * steps * width` values.
    pub data: &'a [f32],
    /// Encoded architectures, their features, or parts of networks.
    pub rows: usize,
    /// Of each row.
    pub shape: Shape,
}

impl<'a> Tensor<'a> {
    /// The values of one row, steps one after another.
    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.data[index * self.shape.len()..][..self.shape.len()]
    }
}

/// Inputs with the targets of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// Encoded architectures, or their features.
    pub inputs: Tensor<'a>,
    /// One per row, finite and positive: latencies in milliseconds or energies in joules, per GMAC where the recipe
    /// says so.
    pub targets: &'a [f64],
}

/// What a component is fitted on.
pub struct Fit<'a> {
    /// What to learn from.
    pub train: Labelled<'a>,
    /// Held out for early stopping; may have no rows.
    pub validation: Labelled<'a>,
    /// Every random choice must follow from it: the same seed and data give the same state.
    pub seed: u64,
    /// Call it about once per round; pass its error on, for that is how the host cancels.
    pub progress: &'a dyn Fn(Progress) -> Result<(), PluginError>,
}

/// A row of a fit, predicted without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// The prediction, in the unit of the targets.
    pub predicted: f64,
    /// How far what is measured lies from it, about, in the same unit.
    pub spread: f64,
}

/// What is to be chosen among, for measuring.
#[derive(Clone, Copy, Debug)]
pub struct Design<'a> {
    /// What was measured before; may have no rows.
    pub measured: Tensor<'a>,
    /// What may be measured next; the number of a candidate is that of its row, from 0.
    pub candidates: Tensor<'a>,
    /// What fits on other targets taught: states of this version.
    pub priors: &'a [&'a [u8]],
    /// How many to choose; no more than there are candidates.
    pub count: usize,
}

/// How far a fit has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Rounds (epochs, trees) done.
    pub done: u64,
    /// Rounds at most; early stopping may end sooner.
    pub total: u64,
    /// Mean squared error on the training part, in squared units of the target; NaN where it is not known.
    pub train_mse: f64,
    /// Mean squared error on the validation part, in squared units of the target; NaN where it is not known.
    pub validation_mse: f64,
}

/// One timed run of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Elapsed time, nanoseconds.
    pub wall_ns: u64,
    /// Time of the calling thread on the processor, nanoseconds; stands for latency at one thread only. 0: not known.
    pub cpu_ns: u64,
    /// Energy that the device spent on the run, microjoules, where the runtime measures it by itself. 0: not known; the host
    /// may then read the device's meters around many runs.
    pub energy_uj: u64,
}

/// Networks, told by sums over their parts.
#[derive(Clone, Copy, Debug)]
pub struct Sums<'a> {
    /// The first step of each network, a row of one step.
    pub firsts: Tensor<'a>,
    /// [`Regressor::sums`](super::Regressor::sums) of its parts, summed.
    pub values: &'a [f64],
    /// [`Regressor::spread_sums`](super::Regressor::spread_sums) of its parts, summed; empty where no spreads are asked for.
    pub spreads: &'a [f32],
}
