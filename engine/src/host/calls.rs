//! What a component is asked, wherever it runs: a call in this process, or a message to another.
//!
//! Each call has inputs and outputs, which are bytes of arrays or texts, in the order that is told at the call. Outputs are zeros
//! before; how long each is follows from the call, as in the C header.

use std::collections::BTreeSet;

use lglp_sdk::plugin::Progress;
use serde::{Deserialize, Serialize};

use super::PluginError;

/// The shape of a batch of `f32`, row-major `[rows, steps, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dimensions {
    pub rows: usize,
    pub steps: usize,
    pub width: usize,
}

/// A call; those that say "makes" answer with an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(super) enum Call {
    /// Makes an encoder. In: the space as JSON, parameters as JSON.
    Create {
        row_len: usize,
    },
    /// Numbers: steps and width; of networks of so many operators at most, where it reads these.
    Shape {
        operators: Option<usize>,
    },
    /// In: `rows * row_len` bytes. Out: `f32`.
    Encode {
        rows: usize,
        row_len: usize,
    },
    /// In: operators, as in the C header; where each network ends, `u64`. Out: `f32`.
    EncodeOperators {
        most: usize,
    },
    /// Makes an extractor or regressor. In: parameters as JSON; inputs (`f32`) and targets (`f64`) of the training part, the same of
    /// the validation part; then states that were learned on other targets, of its state version.
    Fit {
        seed: u64,
        train: Dimensions,
        validation: Dimensions,
    },
    /// Makes an extractor or regressor. In: the state.
    Load {
        state_version: u32,
    },
    /// Bytes: the state.
    Save,
    /// Numbers: the features of an extractor.
    Outputs,
    /// In: `f32`. Out: `f32`.
    Extract {
        of: Dimensions,
    },
    /// In: `f32`. Out: `f64`.
    Predict {
        of: Dimensions,
    },
    /// In: `f32`. Out: predictions and spreads, `f64`.
    PredictSpread {
        of: Dimensions,
    },
    /// In: `f32`. Out: spreads, `f64`.
    DifferenceSpreads {
        of: Dimensions,
    },
    /// Bytes: pairs of `f64`.
    LeaveOneOut,
    /// In: `f32`. Out: `f64`.
    Contributions {
        of: Dimensions,
    },
    /// Numbers: how many sums there are of a part.
    SumsLen,
    /// Numbers: the same for spreads.
    SpreadSumsLen,
    /// In: `f32`. Out: `f64`.
    Sums {
        of: Dimensions,
    },
    /// In: `f32`. Out: `f32`.
    SpreadSums {
        of: Dimensions,
    },
    /// In: the first step of each network (`f32`), sums (`f64`), and, only where spreads are asked for, sums for these (`f32`). Out:
    /// predictions, and spreads where they are asked for, `f64`.
    PredictSums {
        of: Dimensions,
    },
    /// Of the component itself. In: parameters as JSON; rows that were measured and rows to choose from (`f32`); then states as in
    /// `Fit`. Out: numbers of the chosen rows, `u64`.
    Choose {
        measured: Dimensions,
        candidates: Dimensions,
    },
    /// Makes a runtime. In: settings as JSON.
    Open,
    /// Bytes: what was opened, as JSON.
    Describe,
    /// Numbers: the network, for the three calls below. In: an ONNX model.
    LoadNetwork,
    Unload {
        network: u64,
    },
    /// Numbers: nanoseconds of elapsed time and of processor time.
    Run {
        network: u64,
    },
    /// Bytes: a sample for each run, as in the C header.
    RunMany {
        network: u64,
        runs: usize,
    },
    /// Numbers: runs to ask for at a time.
    RunsAtOnce,
}

/// Bytes at most of an answer in bytes that is no state.
const LARGEST_TOLD: usize = 64 << 20;

impl Call {
    /// Bytes that it is answered with at most, where a state may have so many.
    pub(super) fn most_bytes(&self, state: usize) -> usize {
        match self {
            Self::Save => state,
            Self::LeaveOneOut | Self::Describe | Self::RunMany { .. } => LARGEST_TOLD,
            _ => 0,
        }
    }
}

/// What is answered beside the outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// As many as the call says.
    pub numbers: Vec<u64>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn of<const N: usize>(numbers: [u64; N]) -> Self {
        Self {
            numbers: numbers.to_vec(),
            bytes: Vec::new(),
        }
    }

    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            numbers: Vec::new(),
            bytes,
        }
    }

    /// A number of it; 0 where there are fewer.
    pub(super) fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or_default()
    }
}

/// What not every component offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Offer {
    EncodeOperators,
    PredictSpread,
    LeaveOneOut,
    Contributions,
    FitFrom,
    Choose,
    DifferenceSpreads,
    Sums,
    SpreadSums,
    PredictSums,
    RunMany,
}

/// All that a component offers.
pub(super) type Offers = BTreeSet<Offer>;

/// Told how a fit goes; `false` cancels it.
pub(super) type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// A component, wherever it runs.
pub(super) trait Component: Send + Sync {
    /// Makes an instance. `on_progress` is told of in fits.
    fn make(&self, call: Call, inputs: &[&[u8]], on_progress: OnProgress<'_>) -> Result<Box<dyn Callee>, PluginError>;

    /// Asks the component itself.
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError>;
}

/// An instance, wherever it runs. Several threads may call it at once.
pub(super) trait Callee: Send + Sync {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError>;
}
