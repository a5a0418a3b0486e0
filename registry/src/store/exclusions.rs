//! Marks on measurements.

use crate::{Exclusion, HardwareName, Result};

/// Which measurements are not to be trained on.
pub trait Exclusions: Send + Sync {
    /// Marks measurements as not to be trained on, all or none, and returns how many of them were not marked before.
    /// The measurements stay. Marking one again in the same way is a no-op.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target or a measurement; `Conflict` where a measurement is marked for
    /// another reason.
    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize>;

    /// The exclusions of a space on a hardware target, by replicate and then by digest.
    ///
    /// # Errors
    /// `Invalid` for what cannot be a space's name; `NotFound` for the hardware target.
    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>>;
}
