//! Hardware targets.

use serde_json::{Value, json};

use super::{SledStore, keys};
use crate::domain::not_empty;
use crate::{Change, Error, HardwareTarget, NewHardware, Result, clock};

impl SledStore {
    pub(super) fn write_hardware(&self, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        new.check()?;
        not_empty("actor", actor)?;
        let key = keys::hardware(&new.name);
        self.write(|changes| {
            let Some(mut target) = changes.find::<HardwareTarget>(&key)? else {
                let NewHardware {
                    name,
                    runtime,
                    settings,
                    fingerprint,
                    reference,
                } = new.clone();
                let created_at = clock::now();
                let target = HardwareTarget {
                    name,
                    runtime,
                    settings,
                    fingerprint,
                    reference,
                    confirmed: Vec::new(),
                    created_at,
                };
                changes.log(
                    Change::HardwareCreated {
                        hardware: new.name.clone(),
                    },
                    actor,
                    None,
                    (Value::Null, json!(target)),
                )?;
                changes.put(key, &target)?;
                return Ok(target);
            };
            if let Some(field) = new.difference(&target) {
                return Err(Error::conflict(format!("hardware target {}", new.name), field));
            }
            if let (None, Some(reference)) = (&target.reference, &new.reference) {
                let before = json!(target);
                target.reference = Some(reference.clone());
                let change = Change::ReferenceSet {
                    hardware: new.name.clone(),
                    reference: reference.clone(),
                };
                changes.log(change, actor, None, (before, json!(target)))?;
                changes.put(key, &target)?;
            }
            Ok(target)
        })
    }
}
