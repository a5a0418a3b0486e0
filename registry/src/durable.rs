//! Durable writes: files that are either there, whole, or not there; and commits of the database.
//!
//! After a failed sync Linux marks the pages that it could not write as clean, so that the next sync succeeds without
//! them, and reads find them in memory. A store that tried again would acknowledge what is nowhere. So the first sync that
//! fails, of whatever, stops all writing until the registry is opened anew, from the disk and not from memory. Reads go on.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::disk::Disk;
use crate::files::failed;
use crate::{Error, Result};

/// The disk under one open registry, as long as it can be trusted.
#[derive(Debug)]
pub(crate) struct Durable {
    disk: Arc<dyn Disk>,
    stopped: OnceLock<String>,
}

impl Durable {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            stopped: OnceLock::new(),
        }
    }

    /// Fails with [`Error::WritesStopped`] once a sync has failed.
    pub(crate) fn check(&self) -> Result<()> {
        let stopped = |reason: &String| Error::WritesStopped { reason: reason.clone() };
        self.stopped.get().map_or(Ok(()), |reason| Err(stopped(reason)))
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
        let file = self.disk.write(temporary, bytes).map_err(failed("write", temporary))?;
        self.trust(self.disk.sync(&file, temporary), |source| {
            failed("sync", temporary)(source)
        })?;
        self.disk
            .rename(temporary, destination)
            .map_err(failed("rename", temporary))?;
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
            Err(error) => Err(failed("create", path)(error)),
        }
    }

    /// Commits a batch, and returns once it is durable. Any failure stops the writing: the batch may be in memory, where
    /// the next commit would make it durable although its writer was told that it failed.
    ///
    /// It flushes even where nothing changed: whoever is told that something is there already must find it there after a
    /// power cut.
    pub(crate) fn commit(&self, db: &sled::Db, file: &File, batch: Option<sled::Batch>) -> Result<()> {
        self.check()?;
        if let Some(batch) = batch {
            self.trust(self.disk.apply(db, batch), storage("write records"))?;
        }
        self.trust(self.disk.flush(db), storage("flush the database"))?;
        self.trust(self.disk.sync_database(file), |source| {
            storage("sync the database")(source.into())
        })
    }

    /// Stops all writing where a step failed that leaves unknown what is on the disk.
    fn trust<E>(&self, step: Result<(), E>, describe: impl FnOnce(E) -> Error) -> Result<()> {
        step.map_err(|error| {
            let reason = self.stopped.get_or_init(|| describe(error).to_string()).clone();
            Error::WritesStopped { reason }
        })
    }
}

/// Names the operation in an error of sled.
pub(crate) fn storage(doing: &'static str) -> impl FnOnce(sled::Error) -> Error {
    move |source| Error::Storage {
        doing,
        source: Box::new(source),
    }
}
