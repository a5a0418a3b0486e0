//! Workers, and what they record under their leases.

use serde_json::{Value, json};

use super::changes::Changes;
use super::{SledStore, keys};
use crate::domain::limits;
use crate::domain::worker::{RECENT, Recent};
use crate::{
    Change, Error, HardwareTarget, Measurement, NewHardware, NewWorker, Quota, Result, SignOfLife, Worker, WorkerName,
    Workers, clock,
};

impl Workers for SledStore {
    fn register_worker(
        &self,
        new: &NewWorker,
        target: Option<&NewHardware>,
        quota: Quota,
        actor: &str,
    ) -> Result<Worker> {
        new.check()?;
        limits::text("actor", actor)?;
        target.map_or(Ok(()), NewHardware::check).map_err(of_setup)?;
        self.write(|changes| {
            let key = keys::hardware(&new.hardware);
            match target.filter(|target| target.name == new.hardware) {
                Some(target) if changes.find::<HardwareTarget>(&key)?.is_none() => {
                    changes.put_hardware(quota, target, actor)?;
                }
                _ => changes.require("hardware target", &new.hardware, &key)?,
            }
            let before: Option<Worker> = changes.find(&keys::worker(&new.name))?;
            if before.is_none() {
                let by_actor = |worker: &Worker| worker.registered_by == actor;
                changes.check_quota::<Worker>(keys::WORKER, by_actor, ("workers", quota.workers), actor)?;
            }
            let worker = registered(new, before.as_ref(), actor);
            let is_same =
                |before: &Worker| (&before.hardware, &before.fingerprint) == (&worker.hardware, &worker.fingerprint);
            if !before.as_ref().is_some_and(is_same) {
                let change = Change::WorkerRegistered {
                    worker: new.name.clone(),
                    hardware: new.hardware.clone(),
                };
                let before = before.map_or(Value::Null, |before| json!(before));
                changes.log(change, actor, None, (before, json!(worker)))?;
            }
            changes.put(keys::worker(&new.name), &worker)?;
            Ok(worker)
        })
    }

    fn worker(&self, name: &WorkerName) -> Result<Worker> {
        self.find(&keys::worker(name))?
            .ok_or_else(|| Error::not_found("worker", name))
    }

    fn workers(&self) -> Result<Vec<Worker>> {
        self.list(keys::WORKER)
    }

    fn see_worker(&self, name: &WorkerName, instance: &str, sign: SignOfLife) -> Result<Worker> {
        sign.check()?;
        self.write_lazily(|changes| {
            let worker = changes.worker(name, instance)?;
            let worker = Worker {
                last_seen: clock::now(),
                clock_skew_s: sign.clock_skew_s.unwrap_or(worker.clock_skew_s),
                reference_ratio: sign.reference_ratio.or(worker.reference_ratio),
                ..worker
            };
            changes.put(keys::worker(name), &worker)?;
            Ok(worker)
        })
    }

    fn sign_off_worker(&self, name: &WorkerName, instance: &str) -> Result<Worker> {
        self.write(|changes| {
            let worker = Worker {
                signed_off: true,
                last_seen: clock::now(),
                ..changes.worker(name, instance)?
            };
            changes.put(keys::worker(name), &worker)?;
            Ok(worker)
        })
    }

    fn confirm_worker(&self, name: &WorkerName, actor: &str, reason: &str) -> Result<Worker> {
        limits::text("actor", actor)?;
        limits::text("reason", reason)?;
        self.write(|changes| {
            let worker = changes.find::<Worker>(&keys::worker(name))?;
            let worker = worker.ok_or_else(|| Error::not_found("worker", name))?;
            if worker.difference.is_none() {
                let rule = format!(
                    "there is nothing to confirm: it is a machine of {} already",
                    worker.hardware
                );
                return Err(Error::invalid("worker", rule));
            }
            let key = keys::hardware(&worker.hardware);
            let target = changes.find::<HardwareTarget>(&key)?;
            let mut target = target.ok_or_else(|| Error::not_found("hardware target", &worker.hardware))?;
            let before = json!(target);
            limits::count("confirmed", target.confirmed.len() + 1, limits::MACHINES)?;
            if !target.confirmed.contains(&worker.fingerprint) {
                target.confirmed.push(worker.fingerprint.clone());
            }
            let change = Change::MachineConfirmed {
                hardware: worker.hardware.clone(),
                worker: name.clone(),
            };
            changes.log(change, actor, Some(reason), (before, json!(target)))?;
            changes.put(key, &target)?;
            let worker = Worker {
                difference: None,
                ..worker
            };
            changes.put(keys::worker(name), &worker)?;
            Ok(worker)
        })
    }
}

/// What is wrong with a target that a worker brings along, by its place in the registration.
fn of_setup(error: Error) -> Error {
    match error {
        Error::Invalid { field, reason } => Error::invalid(format!("setup.{field}"), reason),
        error => error,
    }
}

/// A worker as it is once it has registered; the same process goes on counting.
fn registered(new: &NewWorker, before: Option<&Worker>, actor: &str) -> Worker {
    let first = before.map(|before| before.registered_by.clone());
    let same = before.filter(|before| before.instance == new.instance && before.hardware == new.hardware);
    let new = new.clone();
    let now = clock::now();
    Worker {
        name: new.name,
        hardware: new.hardware,
        instance: new.instance,
        fingerprint: new.fingerprint,
        difference: new.difference,
        version: new.version,
        registered_at: same.map_or_else(|| now.clone(), |same| same.registered_at.clone()),
        last_seen: now,
        clock_skew_s: same.map_or(0.0, |same| same.clock_skew_s),
        signed_off: false,
        measured: same.map_or(0, |same| same.measured),
        recent: same.map_or_else(Vec::new, |same| same.recent.clone()),
        reference_ratio: same.and_then(|same| same.reference_ratio),
        registered_by: first
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| actor.to_owned()),
        process_of: actor.to_owned(),
    }
}

impl Changes<'_> {
    /// A worker whose process is this one.
    fn worker(&self, name: &WorkerName, instance: &str) -> Result<Worker> {
        let worker: Option<Worker> = self.find(&keys::worker(name))?;
        let worker = worker.ok_or_else(|| Error::not_found("worker", name))?;
        if worker.instance != instance || worker.signed_off {
            return Err(Error::StaleInstance { worker: name.clone() });
        }
        Ok(worker)
    }

    /// Adds to what the worker on this device has measured, where it is one's.
    pub(super) fn count_for_worker<'m>(
        &mut self,
        device: &str,
        fresh: impl Iterator<Item = &'m Measurement>,
    ) -> Result<()> {
        let Ok(name) = device.parse::<WorkerName>() else {
            return Ok(());
        };
        let Some(mut worker) = self.find::<Worker>(&keys::worker(&name))? else {
            return Ok(());
        };
        let mut recent: Vec<Recent> = fresh.map(Recent::of).collect();
        recent.sort_by(|a, b| a.measured_at.cmp(&b.measured_at));
        worker.measured += recent.len() as u64;
        worker.recent.extend(recent);
        let surplus = worker.recent.len().saturating_sub(RECENT);
        worker.recent.drain(..surplus);
        self.put(keys::worker(&name), &worker)
    }
}
