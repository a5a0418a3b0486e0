//! Measurements.

use std::collections::BTreeSet;

use super::{SledStore, keys};
use crate::{Digest, Error, HardwareName, Measurement, Result};

impl SledStore {
    pub(super) fn write_measurements(&self, measurements: &[Measurement]) -> Result<usize> {
        measurements.iter().try_for_each(Measurement::check)?;
        let targets: BTreeSet<_> = measurements.iter().map(|measurement| &measurement.hardware).collect();
        self.write(|changes| {
            for hardware in targets {
                changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            }
            let mut recorded = 0;
            for new in measurements {
                let key = keys::measurement(&new.hardware, &new.space, new.round, &new.digest);
                match changes.find::<Measurement>(&key)? {
                    None => {
                        changes.put(key, new)?;
                        recorded += 1;
                    }
                    Some(old) => {
                        if let Some(field) = new.difference(&old) {
                            return Err(Error::conflict(key, field));
                        }
                    }
                }
            }
            Ok(recorded)
        })
    }

    pub(super) fn list_measured(&self, hardware: &HardwareName, space: &str, round: u32) -> Result<BTreeSet<Digest>> {
        let entries = self.scan(&keys::measurements(hardware, space, Some(round)));
        let digest = |key: String| {
            let corrupt = |error: Error| Error::CorruptRecord {
                key: key.clone(),
                reason: error.to_string(),
            };
            Digest::from_hex(keys::last_part(&key)).map_err(corrupt)
        };
        entries.map(|entry| entry.and_then(|(key, _)| digest(key))).collect()
    }
}
