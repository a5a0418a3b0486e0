//! Validation reports. The content of one is a blob, and its digest is the report's.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::changes::Changes;
use super::idempotency::IdempotencyKey;
use super::stored::{StoredReport, decode, decode_json};
use super::{SledStore, keys};
use crate::{
    Change, Digest, Error, HardwareName, HardwareTargets, Measurement, NewValidation, Reporting, Result, Validation,
    ValidationPair, Validations, Versions, Visitor, canonical_json, clock,
};

impl Validations for SledStore {
    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        let record: Option<StoredReport> = self.find(&keys::validation(hardware, number))?;
        let record = record.ok_or_else(|| self.missing(hardware, "validation", number))?;
        self.load_validation(hardware, number, record)
    }

    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        let mut found = Vec::new();
        let _ = self.visit_validations(hardware, version, 0, &mut |report| {
            found.push(report);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn visit_validations(
        &self,
        hardware: &HardwareName,
        version: Option<u32>,
        after: u32,
        visitor: Visitor<'_, Validation>,
    ) -> Result<ControlFlow<()>> {
        self.hardware(hardware)?;
        for entry in self.scan_after(&keys::validations(hardware), Some(keys::validation(hardware, after))) {
            let (key, bytes) = entry?;
            let record: StoredReport = decode(&key, &bytes)?;
            if version.is_none_or(|version| version == record.version)
                && visitor(self.load_validation(hardware, keys::number(&key)?, record)?).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Reporting for SledStore {
    fn create_validation(
        &self,
        hardware: &HardwareName,
        new: &NewValidation,
        idempotency_key: Option<&str>,
    ) -> Result<Validation> {
        new.check()?;
        let once = IdempotencyKey::new(&format!("{hardware}/validation"), idempotency_key, new)?;
        let content = canonical_json(new)?;
        let digest = Digest::of(&content);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            if let Some(before) = changes.answered(&once)? {
                return self.validation(hardware, before);
            }
            self.check_version(hardware, new)?;
            if self.blobs.find(&new.scatter)?.is_none() {
                return Err(Error::MissingBlob {
                    field: "scatter".to_owned(),
                    digest: new.scatter.clone(),
                });
            }
            for (index, pair) in new.pairs.iter().enumerate() {
                check_pair(changes, hardware, &new.space, index, pair)?;
            }
            self.blobs.put(&content)?;
            let last = changes.last(&keys::validations(hardware))?;
            let number = last.map_or(Ok(0), |key| keys::number::<u32>(&key))? + 1;
            changes.answer(once, &number)?;
            let record = StoredReport {
                digest: digest.clone(),
                version: new.version,
                of_networks: new.is_of_networks(),
                created_at: clock::now(),
            };
            let change = Change::VersionValidated {
                hardware: hardware.clone(),
                version: new.version,
                validation: number,
                digest: digest.clone(),
            };
            changes.log(change, &new.creator, None, (Value::Null, json!(record)))?;
            changes.put(keys::validation(hardware, number), &record)?;
            Ok(Validation {
                hardware: hardware.clone(),
                number,
                digest,
                created_at: record.created_at,
                content: new.clone(),
            })
        })
    }
}

impl SledStore {
    /// The newest report of a version on networks of no space, or on architectures.
    pub(super) fn newest_validation(
        &self,
        hardware: &HardwareName,
        version: u32,
        of_networks: bool,
    ) -> Result<Option<Validation>> {
        let mut newest = None;
        for entry in self.scan(&keys::validations(hardware)) {
            let (key, bytes) = entry?;
            let record: StoredReport = decode(&key, &bytes)?;
            if record.version == version && record.of_networks == of_networks {
                newest = Some((keys::number(&key)?, record));
            }
        }
        newest
            .map(|(number, record)| self.load_validation(hardware, number, record))
            .transpose()
    }

    fn load_validation(&self, hardware: &HardwareName, number: u32, record: StoredReport) -> Result<Validation> {
        let content = decode_json(record.digest.as_str(), &self.blobs.get(&record.digest)?)?;
        Ok(Validation {
            hardware: hardware.clone(),
            number,
            digest: record.digest,
            created_at: record.created_at,
            content,
        })
    }

    /// A report speaks of the version as it is.
    fn check_version(&self, hardware: &HardwareName, new: &NewValidation) -> Result<()> {
        let version = self.version(hardware, new.version)?;
        let differs = |field: &str, is: &dyn std::fmt::Display| {
            Err(Error::invalid(
                field,
                format!("that of version {} is {is}", new.version),
            ))
        };
        if version.digest != new.version_digest {
            return differs("version_digest", &version.digest);
        }
        let quantity = version.content.quantity;
        if !quantity.is_latency() {
            let reason = format!(
                "validations compare latencies; version {} predicts {quantity}",
                new.version
            );
            return Err(Error::invalid("version", reason));
        }
        if !new.is_of_networks() && version.content.space != new.space {
            return differs("space", &version.content.space);
        }
        if version.content.dataset != new.dataset {
            return differs("dataset", &version.content.dataset);
        }
        Ok(())
    }
}

/// A report speaks of measurements as they are recorded.
fn check_pair(
    changes: &Changes<'_>,
    hardware: &HardwareName,
    space: &str,
    index: usize,
    pair: &ValidationPair,
) -> Result<()> {
    let key = keys::measurement(hardware, space, pair.replicate, &pair.digest());
    let invalid = |reason: String| Err(Error::invalid(format!("pairs.{index}.measured_ms"), reason));
    match changes.find::<Measurement>(&key)? {
        None => invalid(format!("there is no measurement {key}")),
        Some(found) if found.latency_ms != pair.measured_ms => invalid(format!(
            "{key} was measured to take {} ms, not {}",
            found.latency_ms, pair.measured_ms
        )),
        Some(_) => Ok(()),
    }
}
