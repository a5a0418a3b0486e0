//! Hardware targets.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::changes::Changes;
use super::stored::decode;
use super::{SledStore, keys};
use crate::domain::limits;
use crate::{Change, Error, HardwareName, HardwareTarget, HardwareTargets, NewHardware, Quota, Result, clock};

impl HardwareTargets for SledStore {
    fn put_hardware_within(&self, quota: Quota, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        new.check()?;
        limits::text("actor", actor)?;
        self.write(|changes| changes.put_hardware(quota, new, actor))
    }

    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget> {
        self.find(&keys::hardware(name))?
            .ok_or_else(|| Error::not_found("hardware target", name))
    }

    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>> {
        self.list(keys::HARDWARE)
    }
}

impl Changes<'_> {
    /// Creates a target, or takes its reference network over.
    pub(super) fn put_hardware(&mut self, quota: Quota, new: &NewHardware, actor: &str) -> Result<HardwareTarget> {
        let key = keys::hardware(&new.name);
        let Some(mut target) = self.find::<HardwareTarget>(&key)? else {
            let by_actor = |target: &HardwareTarget| target.created_by == actor;
            self.check_quota::<HardwareTarget>(keys::HARDWARE, by_actor, ("hardware targets", quota.targets), actor)?;
            let NewHardware {
                name,
                runtime,
                settings,
                fingerprint,
                reference,
                by_workers,
            } = new.clone();
            let target = HardwareTarget {
                name,
                runtime,
                settings,
                fingerprint,
                reference,
                confirmed: Vec::new(),
                by_workers,
                created_at: clock::now(),
                created_by: actor.to_owned(),
            };
            let change = Change::HardwareCreated {
                hardware: new.name.clone(),
            };
            self.log(change, actor, None, (Value::Null, json!(target)))?;
            self.put(key, &target)?;
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
            self.log(change, actor, None, (before, json!(target)))?;
            self.put(key, &target)?;
        }
        Ok(target)
    }

    /// Fails where an author has created as many records below a prefix as it may.
    pub(super) fn check_quota<T: DeserializeOwned>(
        &self,
        prefix: &str,
        by_actor: impl Fn(&T) -> bool,
        (what, limit): (&'static str, usize),
        actor: &str,
    ) -> Result<()> {
        if limit == usize::MAX {
            return Ok(());
        }
        let mut created = 0;
        for entry in self.scan(prefix) {
            let (key, bytes) = entry?;
            created += usize::from(by_actor(&decode(&key, &bytes)?));
        }
        if created < limit {
            return Ok(());
        }
        Err(Error::QuotaReached {
            actor: actor.to_owned(),
            what,
            limit,
        })
    }
}
