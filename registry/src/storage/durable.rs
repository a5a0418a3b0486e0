//! Durable writes: files that are either there, whole, or not there; and commits of the database.
//!
//! After a failed sync Linux marks the pages that it could not write as clean, so that the next sync succeeds without
//! them, and reads find them in memory. A store that tried again would acknowledge what is nowhere. So the first sync that
//! fails, of whatever, stops all writing until the registry is opened anew, from the disk and not from memory. Reads go on.
//! A commit that does not come back counts as one that failed.
//!
//! A full disk is no such failure: there is room for a commit before it begins, or it is refused (`space.rs`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::committer::{Committer, Missing};
use super::disk::Disk;
use super::files::failed;
use super::packing;
use super::space::{self, is_full};
use crate::{Error, Result};

/// The disk under one open registry, as long as it can be trusted.
#[derive(Debug)]
pub(crate) struct Durable {
    /// The registry's folder.
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    committer: Committer,
    stopped: OnceLock<String>,
}

/// Changes of records that are made as one, and how large they are.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    records: sled::Batch,
    bytes: u64,
}

impl Batch {
    /// `value` is the record's JSON.
    pub(crate) fn insert(&mut self, key: String, value: &[u8]) {
        let value = packing::pack(value);
        self.bytes += (key.len() + value.len()) as u64;
        self.records.insert(key.into_bytes(), &*value);
    }

    pub(crate) fn remove(&mut self, key: String) {
        self.bytes += key.len() as u64;
        self.records.remove(key.into_bytes());
    }

    /// Bytes of keys and values.
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Durable {
    pub(crate) fn new(dir: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        Ok(Self {
            dir: dir.to_owned(),
            disk,
            committer: Committer::start().map_err(failed("start a thread for", dir))?,
            stopped: OnceLock::new(),
        })
    }

    /// Fails with [`Error::WritesStopped`] once a sync has failed.
    pub(crate) fn check(&self) -> Result<()> {
        let stopped = |reason: &String| Error::WritesStopped { reason: reason.clone() };
        self.stopped.get().map_or(Ok(()), |reason| Err(stopped(reason)))
    }

    /// Stops all writing.
    fn stop(&self, reason: impl FnOnce() -> String) -> Error {
        let reason = self.stopped.get_or_init(reason).clone();
        Error::WritesStopped { reason }
    }

    /// Makes sure that the files of a folder are read from the disk.
    pub(crate) fn forget(&self, folder: &Path) -> Result<()> {
        self.disk.forget(folder).map_err(failed("reread", folder))
    }

    /// Writes `bytes` to `temporary`, syncs it, renames it to `destination` and syncs the folder. Both paths lie on one
    /// file system.
    pub(crate) fn write(&self, temporary: &Path, destination: &Path, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let written = self.replace(temporary, destination, bytes);
        if written.is_err() {
            // On a full disk it would stand in the way of the next try. Failing to remove it changes nothing.
            let _ = std::fs::remove_file(temporary);
        }
        written
    }

    fn replace(&self, temporary: &Path, destination: &Path, bytes: &[u8]) -> Result<()> {
        let written = self.disk.write(temporary, bytes);
        let file = written.map_err(|source| self.unless_full(source, failed("write", temporary)))?;
        self.trust(self.disk.sync(&file, temporary), |source| {
            failed("sync", temporary)(source)
        })?;
        let renamed = self.disk.rename(temporary, destination);
        renamed.map_err(|source| self.unless_full(source, failed("rename", temporary)))?;
        self.sync_parent(destination)
    }

    /// Makes the entry of `path` in its folder durable.
    pub(crate) fn sync_parent(&self, path: &Path) -> Result<()> {
        self.check()?;
        let path = path.parent().expect("a file of the registry lies in a folder");
        let folder = File::open(path).map_err(failed("open", path))?;
        self.trust(self.disk.sync(&folder, path), |source| failed("sync", path)(source))
    }

    /// Creates a folder and makes it durable, where it is missing.
    pub(crate) fn create_folder(&self, path: &Path) -> Result<()> {
        self.check()?;
        match self.disk.create_folder(path) {
            Ok(()) => self.sync_parent(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.unless_full(error, failed("create", path))),
        }
    }

    /// Holds what a commit of so many bytes may need.
    ///
    /// # Errors
    /// [`Error::DiskFull`]; [`Error::WritesStopped`].
    pub(crate) fn hold(&self, file: &File, bytes: u64) -> Result<()> {
        self.check()?;
        let held = self.disk.hold(file, bytes);
        held.map_err(|source| self.unless_full(source, failed("hold space in", &self.dir)))
    }

    /// Fails with [`Error::DiskFull`] where a file of so many bytes would take the space that records need.
    pub(crate) fn require(&self, bytes: u64) -> Result<()> {
        self.check()?;
        let there = self.disk.require(&self.dir, bytes.saturating_add(space::HELD));
        there.map_err(|source| self.unless_full(source, failed("find space in", &self.dir)))
    }

    /// Commits a batch, and returns once it is durable. Any failure stops the writing: the batch may be in memory, where
    /// the next commit would make it durable although its writer was told that it failed.
    ///
    /// It flushes even where nothing changed: whoever is told that something is there already must find it there after a
    /// power cut.
    pub(crate) fn commit(&self, db: &sled::Db, file: &Arc<File>, batch: Option<Batch>) -> Result<()> {
        self.hold(file, batch.as_ref().map_or(0, Batch::bytes))?;
        let (db, file, disk) = (db.clone(), file.clone(), self.disk.clone());
        self.watched(move || {
            if let Some(batch) = batch {
                disk.apply(&db, batch.records).map_err(storage("write records"))?;
            }
            disk.flush(&db).map_err(storage("flush the database"))?;
            disk.sync_database(&file)
                .map_err(|source| storage("sync the database")(source.into()))
        })
    }

    /// Puts a batch into the database, where the next commit makes it durable.
    pub(crate) fn apply(&self, db: &sled::Db, file: &File, batch: Batch) -> Result<()> {
        self.hold(file, batch.bytes())?;
        let (db, disk) = (db.clone(), self.disk.clone());
        self.watched(move || disk.apply(&db, batch.records).map_err(storage("write records")))
    }

    /// Does something with the database that fails for good where it fails, and that may hang.
    fn watched(&self, work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        let patience = self.disk.patience();
        match self.committer.run(patience, work) {
            Ok(done) => self.trust(done, |error| error),
            Err(Missing::Late) => Err(self.stop(|| format!("the disk has not taken a change for {patience:?}"))),
            Err(Missing::Panicked) => Err(self.stop(|| "the database panicked; the log tells why".to_owned())),
        }
    }

    /// Stops all writing where a step failed that leaves unknown what is on the disk.
    fn trust<E>(&self, step: Result<(), E>, describe: impl FnOnce(E) -> Error) -> Result<()> {
        step.map_err(|error| self.stop(|| describe(error).to_string()))
    }

    /// What a failed step of writing becomes that leaves nothing behind.
    fn unless_full(&self, source: io::Error, otherwise: impl FnOnce(io::Error) -> Error) -> Error {
        if !is_full(&source) {
            return otherwise(source);
        }
        Error::DiskFull {
            dir: self.dir.clone(),
            free: space::free(&self.dir).unwrap_or(0),
            source,
        }
    }
}

/// Names the operation in an error of sled.
pub(crate) fn storage(doing: &'static str) -> impl FnOnce(sled::Error) -> Error {
    move |source| Error::Storage {
        doing,
        source: Box::new(source),
    }
}
