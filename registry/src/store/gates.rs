//! Gates.

use crate::{Gate, GateChange, HardwareName, Result};

/// What a version's newest validation must show before `production` moves to it.
pub trait Gates: Send + Sync {
    /// Sets the rules of a hardware target's gate.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target; `StaleGeneration`.
    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate>;

    /// The gate of a hardware target, where it has one.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>>;
}
