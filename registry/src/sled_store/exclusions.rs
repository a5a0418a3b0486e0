//! Marks on measurements.

use serde_json::{Value, json};

use super::changes::Changes;
use super::{SledStore, keys};
use crate::domain::{item, items, limits};
use crate::{Change, Error, Exclusion, Exclusions, HardwareName, HardwareTargets, MeasurementKey, Result, names};

impl Exclusions for SledStore {
    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize> {
        limits::text("actor", actor)?;
        item("exclusions", items(exclusions, Exclusion::check))?;
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let mut fresh = Vec::new();
            for (at, new) in exclusions.iter().enumerate() {
                let excluded = changes.exclude(hardware, new);
                fresh.extend(item(format_args!("exclusions.{at}"), excluded)?);
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

    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        self.list(&keys::exclusions(hardware, space))
    }
}

impl Changes<'_> {
    /// Marks a measurement; none where it is marked so already.
    fn exclude(&mut self, hardware: &HardwareName, new: &Exclusion) -> Result<Option<MeasurementKey>> {
        let Exclusion {
            space,
            replicate,
            digest,
            ..
        } = new;
        let measurement = keys::measurement(hardware, space, *replicate, digest);
        self.require("measurement", &measurement, &measurement)?;
        let key = keys::exclusion(hardware, space, *replicate, digest);
        let Some(old) = self.find::<Exclusion>(&key)? else {
            self.put(key, new)?;
            return Ok(Some(new.key()));
        };
        let differs = new.difference(&old);
        differs.map_or(Ok(None), |field| Err(Error::conflict(key, field)))
    }
}
