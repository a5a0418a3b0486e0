//! Measuring: ground truth for training and validation.

mod fingerprint;
mod protocol;
mod reference;
mod statistics;

pub use fingerprint::{load_average, of_this_machine};
pub use protocol::{Pair, PairedMeasurement, Protocol};
pub use reference::{CALIBRATION_RUNS, WEIGHTS_SEED, calibrate, reference_architecture};
pub use statistics::{median, quantile};
