//! Marks on measurements.

use serde_json::{Value, json};

use super::{SledStore, keys};
use crate::domain::limits;
use crate::{Change, Error, Exclusion, HardwareName, Result};

impl SledStore {
    pub(super) fn write_exclusions(
        &self,
        hardware: &HardwareName,
        exclusions: &[Exclusion],
        actor: &str,
    ) -> Result<usize> {
        limits::text("actor", actor)?;
        exclusions.iter().try_for_each(Exclusion::check)?;
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let mut fresh = Vec::new();
            for new in exclusions {
                let Exclusion {
                    space, round, digest, ..
                } = new;
                let measurement = keys::measurement(hardware, space, *round, digest);
                changes.require("measurement", &measurement, &measurement)?;
                let key = keys::exclusion(hardware, space, *round, digest);
                match changes.find::<Exclusion>(&key)? {
                    None => {
                        changes.put(key, new)?;
                        fresh.push(new.key());
                    }
                    Some(old) => {
                        if let Some(field) = new.difference(&old) {
                            return Err(Error::conflict(key, field));
                        }
                    }
                }
            }
            let count = fresh.len();
            if count > 0 {
                let change = Change::MeasurementsExcluded {
                    hardware: hardware.clone(),
                    measurements: fresh,
                };
                changes.log(change, actor, None, (Value::Null, json!(exclusions)))?;
            }
            Ok(count)
        })
    }
}
