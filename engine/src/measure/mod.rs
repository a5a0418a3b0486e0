//! Measuring: ground truth for training and validation.

mod ahead;
mod campaign;
mod candidate;
mod device_lock;
mod excluded;
mod fingerprint;
mod harness;
mod measurement_loop;
mod memory;
pub mod meters;
mod plan;
mod protocol;
mod reference;
mod references;
mod repeatability;
mod statistics;
mod target;

pub use campaign::{
    Campaign, CampaignEvent, LEFT_OUT_REASON, LeftOutNetwork, MOST_FAILED_IN_A_ROW, MOST_LEFT_OUT, MeasureError,
    Summary,
};
pub use candidate::{Candidate, Subject};
pub use device_lock::DeviceLock;
pub use excluded::Excluded;
pub use fingerprint::{load_average, of_this_machine};
pub use harness::{MeasurementHarness, RecordContext};
pub use measurement_loop::{MeasurementLoop, MeasurementWork};
pub use memory::{admit_batch, largest_architecture};
pub use plan::{Draw, PLAN_LIMIT, Plan, Wanted, distinct, plan, visit_plan};
pub use protocol::{Pair, PairedMeasurement, Protocol};
pub(crate) use reference::reference_architecture;
pub use reference::{CALIBRATION_RUNS, WEIGHTS_SEED, calibrate, reference_architectures};
pub use repeatability::Repeatability;
pub use statistics::median;
pub use target::{
    BATCHES, Difference, Setup, admit, calibrated, difference, fingerprint, is_at_hand, is_of_this_machine,
    reference_network, reference_space,
};
