//! Measurements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::changes::Changes;
use super::{SledStore, keys};
use crate::domain::not_empty;
use crate::{Change, Digest, Error, HardwareName, Measurement, Result, canonical_json};

impl SledStore {
    pub(super) fn write_measurements(&self, measurements: &[Measurement], actor: &str) -> Result<usize> {
        not_empty("actor", actor)?;
        measurements.iter().try_for_each(Measurement::check)?;
        let targets: BTreeSet<_> = measurements.iter().map(|measurement| &measurement.hardware).collect();
        self.write(|changes| {
            for hardware in targets {
                changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            }
            let mut recorded = 0;
            let mut fresh = BTreeMap::<_, BTreeMap<_, _>>::new();
            for new in measurements {
                let key = keys::measurement(&new.hardware, &new.space, new.round, &new.digest);
                match changes.find::<Measurement>(&key)? {
                    None => {
                        changes.put(key.clone(), new)?;
                        recorded += 1;
                        fresh.entry((&new.hardware, &new.space)).or_default().insert(key, new);
                    }
                    Some(old) => {
                        if let Some(field) = new.difference(&old) {
                            return Err(Error::conflict(key, field));
                        }
                    }
                }
            }
            for ((hardware, space), records) in fresh {
                let records: Vec<&Measurement> = records.into_values().collect();
                log(changes, (hardware, space), &records, actor)?;
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

/// One audit entry for what was recorded of one space. It holds the digest of the records, not all their samples again.
fn log(
    changes: &mut Changes,
    (hardware, space): (&HardwareName, &str),
    records: &[&Measurement],
    actor: &str,
) -> Result<()> {
    let (count, digest) = (records.len(), Digest::of(&canonical_json(records)?));
    let after = json!({ "count": count, "sha256": digest });
    let change = Change::MeasurementsRecorded {
        hardware: hardware.clone(),
        space: space.to_owned(),
        rounds: records.iter().map(|record| record.round).collect(),
        count,
        digest,
    };
    changes.log(change, actor, None, (Value::Null, after))
}
