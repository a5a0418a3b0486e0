//! Measurements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::changes::Changes;
use super::{SledStore, keys};
use crate::domain::limits;
use crate::{Change, Digest, Error, HardwareName, Measurement, Result, canonical_json};

impl SledStore {
    pub(super) fn write_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize> {
        limits::text("actor", actor)?;
        measurements.iter().try_for_each(Measurement::check)?;
        let targets: BTreeSet<_> = measurements.iter().map(|measurement| &measurement.hardware).collect();
        self.write(|changes| {
            for hardware in targets {
                changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            }
            let mut fresh = BTreeMap::new();
            for new in measurements {
                let key = keys::measurement(&new.hardware, &new.space, new.round, &new.digest);
                match changes.find::<Measurement>(&key)? {
                    None => {
                        changes.put(key.clone(), new)?;
                        fresh.insert(key, new);
                    }
                    Some(old) => {
                        if let Some(field) = new.difference(&old) {
                            return Err(Error::conflict(key, field));
                        }
                    }
                }
            }
            let recorded = fresh.len();
            log(changes, fresh, actor, None)?;
            Ok(recorded)
        })
    }

    /// Logs the measurements of a registry from before the log told of measurements.
    pub(super) fn log_earlier(&self) -> Result<()> {
        if self.scan(keys::RECORDED).next().is_some() || self.scan(keys::MEASUREMENT).next().is_none() {
            return Ok(());
        }
        let earlier: Vec<Measurement> = self.list(keys::MEASUREMENT)?;
        let key = |m: &Measurement| keys::measurement(&m.hardware, &m.space, m.round, &m.digest);
        let earlier = earlier.iter().map(|measurement| (key(measurement), measurement));
        let reason = "recorded before the audit log told of measurements";
        self.write(|changes| log(changes, earlier.collect(), "lglp", Some(reason)))
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
            rounds: records.iter().map(|record| record.round).collect(),
            count,
            digest,
        };
        let sequence = changes.log(change, actor, reason, (Value::Null, after))?;
        changes.put(keys::recorded(sequence), &names)?;
    }
    Ok(())
}
