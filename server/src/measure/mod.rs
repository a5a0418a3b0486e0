//! Measuring: ground truth for training and validation.

mod campaign;
mod fingerprint;
mod plan;
mod protocol;
mod reference;
mod repeatability;
mod statistics;

pub use campaign::{Campaign, CampaignEvent, MeasureError, Summary, Wanted, is_at_hand};
pub use fingerprint::{load_average, of_this_machine};
pub use plan::{Draw, plan};
pub use protocol::{Pair, PairedMeasurement, Protocol};
pub use reference::{CALIBRATION_RUNS, WEIGHTS_SEED, calibrate, reference_architecture};
pub use repeatability::Repeatability;
pub use statistics::{median, quantile};
