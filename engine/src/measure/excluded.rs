//! Measurements that are kept and do not count.

use std::collections::HashSet;

use lglp_registry::{Digest, HardwareName, Measurement, Registry};

/// Those of a target and space that are excluded.
pub struct Excluded(HashSet<(Digest, u32)>);

impl Excluded {
    /// Reads from the registry which measurements of a target and space are excluded.
    pub fn of(store: &dyn Registry, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Self> {
        let exclusions = store.exclusions(hardware, space)?.into_iter();
        Ok(Self(exclusions.map(|mark| (mark.digest, mark.replicate)).collect()))
    }

    /// Whether a measurement of that target and space is excluded.
    pub fn has(&self, measurement: &Measurement) -> bool {
        self.0.contains(&(measurement.digest.clone(), measurement.replicate))
    }
}
