//! Measurements.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Changes;
use super::reading::visit;
use super::stored::decode;
use super::{SledStore, keys};
use crate::domain::{item, items, limits};
use crate::{
    Change, Digest, Error, HardwareName, HardwareTargets, MeasuredSpace, Measurement, Measurements, Result, Visitor,
    canonical_json, names,
};

impl Measurements for SledStore {
    fn record_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize> {
        limits::text("actor", actor)?;
        items(measurements, Measurement::check)?;
        let targets: BTreeSet<_> = measurements.iter().map(|measurement| &measurement.hardware).collect();
        self.write(|changes| {
            for hardware in targets {
                changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            }
            let fresh = changes.put_measurements(measurements, |key, new, old| match new.difference(old) {
                Some(field) => Err(Error::conflict(key, field)),
                None => Ok(()),
            })?;
            let recorded = fresh.len();
            log(changes, fresh, actor, None)?;
            Ok(recorded)
        })
    }

    fn measurements(&self, hardware: &HardwareName, space: &str, replicate: Option<u32>) -> Result<Vec<Measurement>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        self.list(&keys::measurements(hardware, space, replicate))
    }

    fn visit_measurements(
        &self,
        hardware: &HardwareName,
        space: &str,
        replicate: Option<u32>,
        after: Option<&(u32, Digest)>,
        visitor: Visitor<'_, Measurement>,
    ) -> Result<ControlFlow<()>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        let after = after.map(|(replicate, digest)| keys::measurement(hardware, space, *replicate, digest));
        let found = self.scan_after(&keys::measurements(hardware, space, replicate), after);
        visit(found, |key, bytes| decode(&key, &bytes), visitor)
    }

    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>> {
        self.hardware(hardware)?;
        let prefix = keys::measured(hardware);
        let mut found: Vec<MeasuredSpace> = Vec::new();
        loop {
            // What follows all keys of the last space: `0` comes behind `/`.
            let after = found.last().map(|last| format!("{prefix}{}0", last.space));
            let Some(next) = self.scan_after(&prefix, after).next() else {
                return Ok(found);
            };
            let (key, _) = next?;
            let space = key[prefix.len()..].split('/').next().unwrap_or_default().to_owned();
            let definition = self.find(&keys::definition(hardware, &space))?;
            found.push(MeasuredSpace { space, definition });
        }
    }

    fn measured_digests(&self, hardware: &HardwareName, space: &str, replicate: u32) -> Result<BTreeSet<Digest>> {
        names::check("space", space)?;
        self.hardware(hardware)?;
        let entries = self.scan(&keys::measurements(hardware, space, Some(replicate)));
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

impl SledStore {
    /// Logs the measurements of a registry from before the log told of measurements.
    pub(super) fn log_earlier(&self) -> Result<()> {
        if self.scan(keys::RECORDED).next().is_some() || self.scan(keys::MEASUREMENT).next().is_none() {
            return Ok(());
        }
        let earlier: Vec<Measurement> = self.list(keys::MEASUREMENT)?;
        let key = |m: &Measurement| keys::measurement(&m.hardware, &m.space, m.replicate, &m.digest);
        let earlier = earlier.iter().map(|measurement| (key(measurement), measurement));
        let reason = "recorded before the audit log told of measurements";
        self.write(|changes| log(changes, earlier.collect(), "lglp", Some(reason)))
    }
}

/// Earlier replicates that are looked at for a measurement that comes again: whoever copies rows gives them the next replicate.
const EARLIER: usize = 4;

/// When an architecture was measured; of all that its measurement holds, what is cheap to compare.
#[derive(Deserialize)]
struct Measured {
    measured_at: String,
}

impl Changes<'_> {
    /// Writes those of some measurements whose place is not taken, and returns them by key; `taken` judges the others, each beside
    /// the one in its place.
    pub(super) fn put_measurements<'a>(
        &mut self,
        measurements: &'a [Measurement],
        taken: impl Fn(&str, &Measurement, &Measurement) -> Result<()>,
    ) -> Result<BTreeMap<String, &'a Measurement>> {
        let mut fresh = BTreeMap::new();
        for (at, new) in measurements.iter().enumerate() {
            let key = keys::measurement(&new.hardware, &new.space, new.replicate, &new.digest);
            match self.find::<Measurement>(&key)? {
                Some(old) => item(at, taken(&key, new, &old))?,
                None => {
                    item(at, self.check_definition(new).and_then(|()| self.check_repeated(new)))?;
                    self.put(key.clone(), new)?;
                    fresh.insert(key, new);
                }
            }
        }
        Ok(fresh)
    }

    /// Fails where a measurement is of another network than others of its space, which has been defined otherwise since. The first
    /// that tells a definition tells it for those before, too.
    fn check_definition(&mut self, new: &Measurement) -> Result<()> {
        let Some(definition) = &new.space_definition else {
            return Ok(());
        };
        let key = keys::definition(&new.hardware, &new.space);
        match self.find::<Digest>(&key)? {
            None => self.put(key, definition),
            Some(recorded) if recorded == *definition => Ok(()),
            Some(recorded) => {
                let (hardware, space) = (&new.hardware, &new.space);
                let reason = format!(
                    "is {definition}, but `{hardware}` has measurements of `{space}` as {recorded} defines it: the same texts name \
                     other networks; give the new definition a name of its own"
                );
                Err(Error::invalid("space_definition", reason))
            }
        }
    }

    /// Fails where a measurement is one of an earlier replicate again: who copies rows would learn that measuring them twice gives
    /// the same to the last digit. Without samples, as in a table that was imported, nothing tells the two apart.
    fn check_repeated(&self, new: &Measurement) -> Result<()> {
        for replicate in (0..new.replicate)
            .rev()
            .take(EARLIER)
            .filter(|_| !new.samples.is_empty())
        {
            let earlier = keys::measurement(&new.hardware, &new.space, replicate, &new.digest);
            let at = self.find::<Measured>(&earlier)?;
            if at.is_some_and(|earlier| earlier.measured_at == new.measured_at)
                && let Some(earlier) = self.find::<Measurement>(&earlier)?
                && earlier.samples == new.samples
            {
                let reason = format!(
                    "has the samples and the time of replicate {replicate}: it was measured once; leave it out"
                );
                return Err(Error::invalid("round", reason));
            }
        }
        Ok(())
    }
}

/// One audit entry for the measurements of each hardware target and space, given by key. It holds their digest, not all
/// their samples again; which ones they are stands beside it.
pub(super) fn log(
    changes: &mut Changes,
    measurements: BTreeMap<String, &Measurement>,
    actor: &str,
    reason: Option<&str>,
) -> Result<()> {
    let mut parts = BTreeMap::<_, Vec<_>>::new();
    for (key, measurement) in measurements {
        let part = parts.entry((&measurement.hardware, &measurement.space));
        part.or_default().push((key, measurement));
    }
    for ((hardware, space), part) in parts {
        let (names, records): (Vec<_>, Vec<_>) = part.into_iter().unzip();
        let (count, digest) = (records.len(), Digest::of(&canonical_json(&records)?));
        let after = json!({ "count": count, "sha256": digest });
        let change = Change::MeasurementsRecorded {
            hardware: hardware.clone(),
            space: space.clone(),
            replicates: records.iter().map(|record| record.replicate).collect(),
            count,
            digest,
        };
        let sequence = changes.log(change, actor, reason, (Value::Null, after))?;
        changes.put(keys::recorded(sequence), &names)?;
    }
    Ok(())
}
