//! Versions. The content of one is a blob: it can be large, and its digest is the version's.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::idempotency::IdempotencyKey;
use super::reading::visit;
use super::stored::{StoredVersion, decode, decode_json};
use super::{SledStore, keys};
use crate::storage::packing::Packed;
use crate::{
    Change, Dataset, Digest, Error, HardwareName, HardwareTargets, NewVersion, Result, Version, Versions, Visitor,
    canonical_json, clock,
};

impl Versions for SledStore {
    fn create_version(
        &self,
        hardware: &HardwareName,
        new: &NewVersion,
        idempotency_key: Option<&str>,
    ) -> Result<Version> {
        new.check()?;
        let once = IdempotencyKey::new(&format!("{hardware}/version"), idempotency_key, new)?;
        self.require_blobs(new)?;
        let content = canonical_json(new)?;
        let digest = Digest::of(&content);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            if let Some(before) = changes.answered(&once)? {
                return self.version(hardware, before);
            }
            let dataset: Option<Dataset> = changes.find(&keys::dataset(hardware, &new.dataset))?;
            let dataset = dataset.ok_or_else(|| Error::not_found("dataset", &new.dataset))?;
            if !dataset.suits(&new.space) {
                return Err(Error::invalid(
                    "space",
                    format!("the dataset's is {}, not {}", dataset.space, new.space),
                ));
            }
            self.require_kept(new)?;
            self.blobs.put(&content)?;

            let last = changes.last(&keys::versions(hardware))?;
            let version = last.map_or(Ok(0), |key| keys::number::<u32>(&key))? + 1;
            let created_at = clock::now();
            changes.answer(once, &version)?;
            let change = Change::VersionCreated {
                hardware: hardware.clone(),
                version,
                digest: digest.clone(),
            };
            let record = StoredVersion {
                digest: digest.clone(),
                created_at: created_at.clone(),
            };
            changes.log(change, &new.creator, None, (Value::Null, json!(record)))?;
            changes.put(keys::version(hardware, version), &record)?;
            Ok(Version {
                hardware: hardware.clone(),
                version,
                digest,
                created_at,
                content: new.clone(),
            })
        })
    }

    fn version(&self, hardware: &HardwareName, version: u32) -> Result<Version> {
        let record = self.find(&keys::version(hardware, version))?;
        self.load(
            hardware,
            version,
            record.ok_or_else(|| self.missing(hardware, "version", version))?,
        )
    }

    fn versions(&self, hardware: &HardwareName) -> Result<Vec<Version>> {
        self.hardware(hardware)?;
        self.scan(&keys::versions(hardware))
            .map(|entry| entry.and_then(|(key, bytes)| self.decode_version(hardware, &key, &bytes)))
            .collect()
    }

    fn visit_versions(
        &self,
        hardware: &HardwareName,
        after: u32,
        visitor: Visitor<'_, Version>,
    ) -> Result<ControlFlow<()>> {
        self.hardware(hardware)?;
        let found = self.scan_after(&keys::versions(hardware), Some(keys::version(hardware, after)));
        visit(found, |key, bytes| self.decode_version(hardware, &key, &bytes), visitor)
    }
}

impl SledStore {
    /// The version of a record.
    pub(super) fn decode_version(&self, hardware: &HardwareName, key: &str, record: &Packed) -> Result<Version> {
        self.load(hardware, keys::number(key)?, decode(key, record)?)
    }

    fn load(&self, hardware: &HardwareName, version: u32, record: StoredVersion) -> Result<Version> {
        let StoredVersion { digest, created_at } = record;
        let content = decode_json(digest.as_str(), &self.blobs.get(&digest)?)?;
        Ok(Version {
            hardware: hardware.clone(),
            version,
            digest,
            created_at,
            content,
        })
    }

    /// Reads the blobs of a version, which takes long where they are large: before its writer's turn.
    fn require_blobs(&self, new: &NewVersion) -> Result<()> {
        for (field, digest) in new.blobs() {
            if self.blobs.find(digest)?.is_none() {
                return Err(Error::MissingBlob {
                    field,
                    digest: digest.clone(),
                });
            }
        }
        Ok(())
    }

    /// Makes sure, within the writer's turn, that no blob of a version was collected since it was read.
    fn require_kept(&self, new: &NewVersion) -> Result<()> {
        let missing = new.blobs().find(|(_, digest)| !self.blobs.contains(digest));
        missing.map_or(Ok(()), |(field, digest)| {
            let digest = digest.clone();
            Err(Error::MissingBlob { field, digest })
        })
    }
}
