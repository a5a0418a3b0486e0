//! Traffic.

use crate::{Agreement, HardwareName, Result, SetTraffic, Traffic};

/// How predictions of a hardware target are divided between versions, and how far these agree.
pub trait Routing: Send + Sync {
    /// Divides the traffic of a hardware target otherwise, together with an audit entry and an event. Of callers that
    /// race from the same generation exactly one wins.
    ///
    /// # Errors
    /// `Invalid`, also where a version predicts in another space than production's; `NotFound` for the hardware target
    /// or an alias, `production` included; `StaleGeneration`.
    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic>;

    /// How the traffic of a hardware target is divided; of generation 0 where that was never set.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic>;

    /// How far versions of a hardware target agree, by production's version and the candidate's.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>>;
}
