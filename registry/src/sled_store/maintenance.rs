//! Looking after the registry: checking all of it, and removing blobs that nothing names.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::changes::Changes;
use super::stored::{decode, decode_json};
use super::{SledStore, records};
use crate::domain::limits;
use crate::storage::packing::Packed;
use crate::{
    AuditHead, Change, Collected, Digest, Error, Finding, HardwareName, HardwareTarget, Intervention, Maintenance,
    NewValidation, NewVersion, Result, Verification,
};

impl Maintenance for SledStore {
    fn delete_hardware(&self, hardware: &HardwareName, how: &Intervention) -> Result<()> {
        self.remove_hardware(hardware, how)
    }

    fn rename_hardware(
        &self,
        hardware: &HardwareName,
        to: &HardwareName,
        how: &Intervention,
    ) -> Result<HardwareTarget> {
        self.move_hardware(hardware, to, how)
    }

    fn delete_measurements(&self, hardware: &HardwareName, space: &str, how: &Intervention) -> Result<usize> {
        self.remove_measurements(hardware, space, how)
    }

    fn check_writable(&self) -> Result<()> {
        // What a record needs, and what a blob does.
        self.durable.hold(&self.file, 0)?;
        self.durable.require(0)
    }

    fn backup(&self, out: &mut dyn Write) -> Result<()> {
        self.write_backup(out)
    }

    fn verify(&self, progress: &dyn Fn(u64, u64)) -> Result<Verification> {
        self.check_all(progress)
    }

    fn collect_blobs(&self, keep: Duration, dry_run: bool, actor: &str) -> Result<Collected> {
        self.remove_unnamed(keep, dry_run, actor)
    }
}

impl SledStore {
    /// Reads every record with the writers waiting, then every blob with the writers at work. `progress` is told how many
    /// bytes of how many were hashed.
    pub(super) fn check_all(&self, progress: &dyn Fn(u64, u64)) -> Result<Verification> {
        let mut found = Findings::default();
        let (records, named, audit) = {
            let _turn = self.settled_turn()?;
            let (records, named) = self.check_records(&mut found)?;
            (records, named, self.check_log(&mut found)?)
        };
        let stored = self.blobs.list()?;
        let total = stored.iter().map(|blob| blob.bytes).sum();
        let (mut blobs, mut bytes) = (0, 0);
        let mut there = HashSet::new();
        for blob in stored {
            progress(bytes, total);
            let Some(digest) = blob.digest else {
                found.add(blob.path.display(), "it is not named as a blob is");
                continue;
            };
            bytes += blob.bytes;
            match self.blobs.find(&digest) {
                Ok(Some(_)) => blobs += 1,
                // Collected in between.
                Ok(None) => continue,
                Err(error) => found.add(&digest, error),
            }
            there.insert(digest);
        }
        progress(bytes, total);
        for (key, digest) in named {
            if !there.contains(&digest) && !self.blobs.contains(&digest) {
                found.add(key, format!("the blob {digest} that it names is missing"));
            }
        }
        Ok(Verification {
            records,
            blobs,
            bytes,
            audit,
            findings: found.0,
        })
    }

    /// Reads every record back; how many there are, and the blobs that must be there, each with who names it.
    fn check_records(&self, found: &mut Findings) -> Result<(u64, Vec<(String, Digest)>)> {
        let mut count = 0;
        let mut named = Vec::new();
        for record in self.scan("") {
            count += 1;
            let read = record.and_then(|(key, bytes)| {
                let blobs = records::kind(&key).and_then(|kind| (kind.read)(&key, &bytes))?;
                Ok((key, blobs))
            });
            match read {
                Ok((key, blobs)) => named.extend(blobs.into_iter().map(|blob| (key.clone(), blob))),
                Err(Error::CorruptRecord { key, reason }) => found.add(key, reason),
                Err(error) => return Err(error),
            }
        }
        // What versions and reports name stands in their content.
        for (key, digest) in named.clone() {
            let contents: fn(&str, &[u8]) -> Result<Vec<Digest>> = match key.split('/').next() {
                Some("version") => |key, content| {
                    let version: NewVersion = decode_json(key, content)?;
                    Ok(version.blobs().map(|(_, blob)| blob.clone()).collect())
                },
                Some("validation") => |key, content| {
                    let report: NewValidation = decode_json(key, content)?;
                    Ok(vec![report.scatter])
                },
                _ => continue,
            };
            // A content that is missing or damaged is found with the blobs.
            if let Ok(Some(content)) = self.blobs.find(&digest) {
                match contents(&key, &content) {
                    Ok(blobs) => named.extend(blobs.into_iter().map(|blob| (key.clone(), blob))),
                    Err(error) => found.add(&key, format!("its content: {error}")),
                }
            }
        }
        for record in self.scan("alias/") {
            let (key, bytes) = record?;
            self.check_alias(&key, &bytes, found)?;
        }
        Ok((count, named))
    }

    /// An alias points at a version.
    fn check_alias(&self, key: &str, record: &Packed, found: &mut Findings) -> Result<()> {
        let Ok(alias) = decode::<crate::Alias>(key, record) else {
            return Ok(());
        };
        let hardware = key.split('/').nth(1).unwrap_or_default();
        let version = format!("version/{hardware}/{:010}", alias.version);
        if self.find::<Value>(&version)?.is_none() {
            found.add(key, format!("it points at version {}, which is missing", alias.version));
        }
        Ok(())
    }

    /// Checks the audit log, and what it tells of the records.
    fn check_log(&self, found: &mut Findings) -> Result<Option<AuditHead>> {
        match self.follow_audit() {
            Ok((head, told)) => {
                found.0.extend(told.differences(self)?);
                Ok(Some(head))
            }
            Err(Error::AuditBroken { sequence, reason }) => {
                found.add(format!("audit entry {sequence}"), reason);
                Ok(None)
            }
            Err(Error::CorruptRecord { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the blobs that no record names and that were not put for `keep`. The writers wait meanwhile.
    pub(super) fn remove_unnamed(&self, keep: Duration, dry_run: bool, actor: &str) -> Result<Collected> {
        limits::text("actor", actor)?;
        let _turn = self.settled_turn()?;
        let before = SystemTime::now().checked_sub(keep).unwrap_or(SystemTime::UNIX_EPOCH);
        let stored = self.blobs.list()?;
        let named = self.named_blobs(&stored.iter().filter_map(|blob| blob.digest.clone()).collect())?;
        let mut unnamed = Vec::new();
        let mut collected = Collected::default();
        for blob in stored {
            if let Some(digest) = blob.digest
                && blob.modified <= before
                && !named.contains(&digest)
            {
                collected.count += 1;
                collected.bytes += blob.bytes;
                unnamed.push(digest);
            }
        }
        if dry_run || unnamed.is_empty() {
            return Ok(collected);
        }
        // First the log: what a kill leaves over is collected the next time, and nothing goes without an entry.
        let mut changes = Changes::new(&self.db);
        let Collected { count, bytes } = collected;
        changes.log(
            Change::BlobsCollected { count, bytes },
            actor,
            None,
            (Value::Null, Value::Null),
        )?;
        self.commit(changes)?;
        for digest in unnamed {
            self.blobs.remove(&digest, before)?;
        }
        Ok(collected)
    }

    /// Those of the stored blobs whose digest stands anywhere in a record, or in a blob of JSON that is named so itself.
    /// It asks for no fields, so that no field of a record to come is forgotten.
    fn named_blobs(&self, stored: &HashSet<Digest>) -> Result<BTreeSet<Digest>> {
        let mut named = BTreeSet::new();
        for record in self.scan("") {
            let (key, record) = record?;
            named.extend(Digest::all_in(&record.json(&key)?).filter(|digest| stored.contains(digest)));
        }
        self.follow_names(named, stored)
    }

    /// Adds the stored blobs that blobs of JSON name.
    pub(super) fn follow_names(
        &self,
        mut named: BTreeSet<Digest>,
        stored: &HashSet<Digest>,
    ) -> Result<BTreeSet<Digest>> {
        let mut unread: Vec<Digest> = named.iter().cloned().collect();
        while let Some(digest) = unread.pop() {
            let Some(content) = self.blobs.json(&digest)? else {
                continue;
            };
            for further in Digest::all_in(&content).filter(|digest| stored.contains(digest)) {
                if named.insert(further.clone()) {
                    unread.push(further);
                }
            }
        }
        Ok(named)
    }

    /// Fails where a record cannot be read back or names a blob that is missing.
    pub(super) fn require_whole(&self) -> Result<()> {
        let mut found = Findings::default();
        let (_, named) = self.check_records(&mut found)?;
        if let Some(Finding { subject: key, fault }) = found.0.into_iter().next() {
            return Err(Error::CorruptRecord { key, reason: fault });
        }
        match named.into_iter().find(|(_, digest)| !self.blobs.contains(digest)) {
            Some((_, digest)) => Err(Error::not_found("blob", digest)),
            None => Ok(()),
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, subject: impl ToString, fault: impl ToString) {
        self.0.push(Finding {
            subject: subject.to_string(),
            fault: fault.to_string(),
        });
    }
}
