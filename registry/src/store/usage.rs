//! Counts of predictions.

use crate::{Agreement, HardwareName, Result};

/// How much the models of a hardware target were asked.
pub trait Usage: Send + Sync {
    /// How many predictions were served for a hardware target.
    ///
    /// # Errors
    /// `NotFound`.
    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64>;
}

/// Counting what is served, for the process that serves. Counts are no changes, and have no audit entry.
pub trait Counting: Send + Sync {
    /// Adds to the number of predictions that were served, and returns the new number. It is a count, not a
    /// change, and has no audit entry.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn count_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64>;

    /// Adds to what is recorded of how far two versions agree, and returns the whole.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target.
    fn add_agreement(&self, hardware: &HardwareName, seen: &Agreement) -> Result<Agreement>;
}
