//! Measurements that are kept and do not count.

use std::collections::HashSet;

use lglp_registry::{Digest, HardwareName, Measurement, Store};

/// Those of a target and space that are excluded.
pub struct Excluded(HashSet<(Digest, u32)>);

impl Excluded {
    pub fn of(store: &dyn Store, hardware: &HardwareName, space: &str) -> lglp_registry::Result<Self> {
        let exclusions = store.exclusions(hardware, space)?.into_iter();
        Ok(Self(exclusions.map(|mark| (mark.digest, mark.round)).collect()))
    }

    pub fn has(&self, measurement: &Measurement) -> bool {
        self.0.contains(&(measurement.digest.clone(), measurement.round))
    }
}
