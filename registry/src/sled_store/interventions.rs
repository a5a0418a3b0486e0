//! Taking back for good what was recorded: hardware targets, and the measurements of a space. The audit log tells of it, and from
//! then on nothing that belonged there is missing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::changes::Changes;
use super::stored::IdempotencyRecord;
use super::stored::decode;
use super::{SledStore, keys, measurements, records};
use crate::error::quoted;
use crate::storage::packing::Packed;
use crate::{
    Alias, Change, Dataset, Error, HardwareName, HardwareTarget, Intervention, Job, Measurement, Measurements,
    PRODUCTION, Result, Worker, names,
};

/// Bytes of measurements, as JSON, that a renamed target may have.
const RENAMED: usize = 256 << 20;

impl SledStore {
    pub(super) fn remove_hardware(&self, hardware: &HardwareName, how: &Intervention) -> Result<()> {
        how.check()?;
        self.write(|changes| {
            let target = changes.free_target(hardware, how.force)?;
            let change = Change::HardwareDeleted {
                hardware: hardware.clone(),
            };
            let (before, after) = (json!(target), Value::Null);
            changes.log(change, &how.actor, Some(&how.reason), (before, after))?;
            for record in changes.records_of(hardware) {
                changes.remove(record?.0);
            }
            for (key, _) in changes.workers_of(hardware)? {
                changes.remove(key);
            }
            changes.forget_lists(&keys::measured(hardware))?;
            changes.forget_answers(hardware)
        })
    }

    pub(super) fn move_hardware(
        &self,
        hardware: &HardwareName,
        to: &HardwareName,
        how: &Intervention,
    ) -> Result<HardwareTarget> {
        how.check()?;
        if hardware == to {
            return Err(Error::invalid("to", "is the name that it has already"));
        }
        self.write(|changes| {
            let before = changes.free_target(hardware, how.force)?;
            if changes.find::<Value>(&keys::hardware(to))?.is_some() {
                return Err(Error::conflict(format!("hardware target {to}"), "description"));
            }
            changes.check_renamable(hardware)?;
            let mut renamed = Map::new();
            let mut measured = Vec::new();
            for record in changes.records_of(hardware) {
                let (key, record) = record?;
                match key.split('/').next() {
                    Some("hardware") => {
                        let target = HardwareTarget {
                            name: to.clone(),
                            ..before.clone()
                        };
                        renamed.insert(keys::hardware(to), json!(target));
                    }
                    Some("dataset") => {
                        let dataset = Dataset {
                            hardware: to.clone(),
                            ..decode(&key, &record)?
                        };
                        renamed.insert(keys::dataset(to, &dataset.digest), json!(dataset));
                    }
                    Some("measurement") => measured.push(Measurement {
                        hardware: to.clone(),
                        ..decode(&key, &record)?
                    }),
                    // All others are told apart by their keys alone.
                    _ => changes.copy(records::of_target(&key, to), &record.json(&key)?),
                }
                changes.remove(key);
            }
            for (key, worker) in changes.workers_of(hardware)? {
                let hardware = to.clone();
                changes.put(key, &Worker { hardware, ..worker })?;
            }
            changes.forget_lists(&keys::measured(hardware))?;
            changes.forget_answers(hardware)?;
            for (key, record) in &renamed {
                changes.put(key.clone(), record)?;
            }
            let change = Change::HardwareRenamed {
                hardware: hardware.clone(),
                to: to.clone(),
            };
            let (before, after) = (json!(before), Value::Object(renamed));
            changes.log(change, &how.actor, Some(&how.reason), (before, after))?;
            let mut recorded = BTreeMap::new();
            for measurement in &measured {
                let key = keys::measurement(to, &measurement.space, measurement.replicate, &measurement.digest);
                changes.put(key.clone(), measurement)?;
                recorded.insert(key, measurement);
            }
            measurements::log(changes, recorded, &how.actor, Some(&how.reason))?;
            let target = changes.find(&keys::hardware(to))?;
            target.ok_or_else(|| Error::not_found("hardware target", to))
        })
    }

    pub(super) fn remove_measurements(
        &self,
        hardware: &HardwareName,
        space: &str,
        how: &Intervention,
    ) -> Result<usize> {
        how.check()?;
        names::check("space", space)?;
        self.write(|changes| {
            changes.free_target(hardware, how.force)?;
            let all = keys::measurements(hardware, space, None);
            let mut count = 0;
            for record in changes.scan(&all) {
                changes.remove(record?.0);
                count += 1;
            }
            if count == 0 {
                let measured = self.measured_spaces(hardware)?;
                let spaces: Vec<String> = measured.into_iter().map(|measured| measured.space).collect();
                let reason = match spaces.join(", ") {
                    none if none.is_empty() => format!("`{hardware}` has no measurements"),
                    spaces => format!(
                        "`{hardware}` has measurements of {spaces}, and none of {}",
                        quoted(space)
                    ),
                };
                return Err(Error::invalid("space", reason));
            }
            for record in changes.scan(&keys::exclusions(hardware, space)) {
                changes.remove(record?.0);
            }
            changes.remove(keys::definition(hardware, space));
            changes.forget_lists(&all)?;
            let change = Change::MeasurementsDeleted {
                hardware: hardware.clone(),
                space: space.to_owned(),
                count,
            };
            changes.log(change, &how.actor, Some(&how.reason), (Value::Null, Value::Null))?;
            Ok(count)
        })
    }
}

impl Changes<'_> {
    /// A hardware target that nothing is in the way of.
    fn free_target(&self, hardware: &HardwareName, force: bool) -> Result<HardwareTarget> {
        let target = self.find::<HardwareTarget>(&keys::hardware(hardware))?;
        let target = target.ok_or_else(|| Error::not_found("hardware target", hardware))?;
        let in_use = |reason| Error::InUse {
            hardware: hardware.clone(),
            reason,
        };
        if let Some(job) = self.open_jobs()?.into_iter().find(|job| job.hardware == *hardware) {
            return Err(in_use(format!("job {} has not ended; cancel it first", job.id)));
        }
        if force {
            return Ok(target);
        }
        let production = PRODUCTION.parse().expect("a valid alias");
        if let Some(alias) = self.find::<Alias>(&keys::alias(hardware, &production))? {
            let version = alias.version;
            return Err(in_use(format!(
                "version {version} is in production; force it if nobody asks for it any more"
            )));
        }
        let workers = self.workers_of(hardware)?;
        if let Some((_, worker)) = workers.into_iter().find(|(_, worker)| !worker.signed_off) {
            let name = worker.name;
            return Err(in_use(format!(
                "worker {name} measures for it; stop that, or force it if the machine is gone"
            )));
        }
        Ok(target)
    }

    /// The workers that measure for a hardware target, or did, by key.
    fn workers_of(&self, hardware: &HardwareName) -> Result<Vec<(String, Worker)>> {
        let mut found = Vec::new();
        for entry in self.scan(keys::WORKER) {
            let (key, record) = entry?;
            let worker: Worker = decode(&key, &record)?;
            if worker.hardware == *hardware {
                found.push((key, worker));
            }
        }
        Ok(found)
    }

    /// Fails where a hardware target has more measurements than are written anew at once: all of them are in memory then, and
    /// writers wait.
    fn check_renamable(&self, hardware: &HardwareName) -> Result<()> {
        let mut bytes = 0;
        for entry in self.scan(&keys::measured(hardware)) {
            bytes += entry?.1.json_bytes();
            if bytes > RENAMED {
                let limit = RENAMED >> 20;
                let reason = format!(
                    "`{hardware}` has more than {limit} MiB of measurements, which are not written anew at once; export and import \
                     them under the new name, and delete the old one"
                );
                return Err(Error::invalid("to", reason));
            }
        }
        Ok(())
    }

    /// Every record that belongs to a hardware target, as they were before these changes.
    fn records_of(&self, hardware: &HardwareName) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        // A kind has one record of a target, or several below its name.
        let found = records::keys_of(hardware).into_iter().map(|key| {
            let several = format!("{key}/");
            self.scan_one(key).chain(self.scan(&several))
        });
        found.collect::<Vec<_>>().into_iter().flatten()
    }

    /// Removes the lists of what was recorded, where that lies below a prefix. One list is of one target and space.
    fn forget_lists(&mut self, prefix: &str) -> Result<()> {
        for entry in self.scan(keys::RECORDED) {
            let (key, record) = entry?;
            let json = record.json(&key)?;
            // Of a list of many, the first item alone.
            let items = json.strip_prefix(b"[").unwrap_or_default();
            let first = serde_json::Deserializer::from_slice(items).into_iter::<String>().next();
            let is_below = first.is_some_and(|first| first.is_ok_and(|first| first.starts_with(prefix)));
            if is_below {
                self.remove(key);
            }
        }
        Ok(())
    }

    /// Removes what requests about a hardware target were answered: a later target of its name has other answers.
    fn forget_answers(&mut self, hardware: &HardwareName) -> Result<()> {
        for entry in self.scan(&keys::idempotency(hardware.as_str(), "")) {
            self.remove(entry?.0);
        }
        for entry in self.scan(&keys::idempotency("jobs", "")) {
            let (key, record) = entry?;
            let job = decode::<IdempotencyRecord>(&key, &record)?
                .answer
                .as_u64()
                .map(keys::job);
            let job = job.map_or(Ok(None), |job| self.find::<Job>(&job))?;
            if job.is_some_and(|job| job.hardware == *hardware) {
                self.remove(key);
            }
        }
        Ok(())
    }
}
