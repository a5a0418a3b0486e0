//! Hardware targets.

use crate::{HardwareName, HardwareTarget, NewHardware, Quota, Result};

/// Which devices, with their runtimes and settings, the registry knows.
pub trait HardwareTargets: Send + Sync {
    /// Creates a hardware target, where the author may create another one. Where it exists with the same description it is
    /// returned as it is, after taking over a reference network that it did not have.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` naming the field in which an existing target differs; `QuotaReached`.
    fn put_hardware_within(&self, quota: Quota, new: &NewHardware, actor: &str) -> Result<HardwareTarget>;

    /// Creates a hardware target, however many its author has created.
    ///
    /// # Errors
    /// Those of [`HardwareTargets::put_hardware_within`], but for `QuotaReached`.
    fn put_hardware(&self, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        self.put_hardware_within(Quota::NONE, new, actor)
    }

    /// A hardware target.
    ///
    /// # Errors
    /// `NotFound`.
    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget>;

    /// Every hardware target, by name.
    ///
    /// # Errors
    /// The common ones.
    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>>;
}
