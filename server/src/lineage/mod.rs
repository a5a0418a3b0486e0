//! Where versions come from, and how they differ: functions over the registry that only read.

mod data;
mod diff;
mod json;
mod origin;
mod predictions;
mod rebind;
mod splits;

pub use diff::{DiffError, diff};
pub use json::differences;
pub use origin::lineage;
pub(crate) use origin::trace_plugins;
pub use predictions::{Predict, relative_difference};
pub use rebind::{RebindError, rebind};
pub use splits::split_sizes;
