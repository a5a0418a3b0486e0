//! [`SledStore`]: the registry in one folder, with sled for the records and files for the blobs.
//!
//! How it stays durable: every change is one sled batch, written under one writer lock, flushed and synced before the
//! call returns (`changes.rs`). sled's own `flush` is not enough on Linux: it uses `sync_file_range`, which leaves
//! the drive's cache and the file's size alone, so the database file is synced once more.

mod agreement;
mod aliases;
mod audit;
mod backup;
mod blobs;
mod changes;
mod datasets;
mod exclusions;
mod format;
mod gates;
mod hardware;
mod idempotency;
mod interventions;
mod jobs;
mod keys;
mod leasing;
mod leftovers;
mod lock;
mod maintenance;
mod measurements;
mod queue;
mod reading;
mod records;
mod restore;
mod stored;
mod tokens;
mod traffic;
mod turns;
mod usage;
mod validations;
mod versions;
mod watchers;
mod webhooks;
mod workers;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use self::changes::Changes;
pub use self::format::is_registry;
use self::lock::FolderLock;
pub use self::lock::{HolderInfo, holder};
use self::queue::{Queue, Turn};
use self::watchers::Watchers;
use crate::storage::blobs::Blobs;
use crate::storage::disk::{Disk, RealDisk};
use crate::storage::durable::{Durable, storage};
use crate::storage::files::failed;
use crate::{Error, Result};

/// Memory that sled may use to cache records, in bytes. Its default is a gigabyte.
const CACHE_BYTES: u64 = 64 << 20;

/// A registry in one folder, open in this process alone.
#[derive(Debug)]
pub struct SledStore {
    // Fields are dropped in this order: the lock goes last.
    db: sled::Db,
    file: Arc<File>,
    blobs: Blobs,
    durable: Arc<Durable>,
    writers: Queue,
    watchers: Watchers,
    _lock: FolderLock,
}

impl SledStore {
    /// Opens the registry in `dir`, or creates it where `dir` is missing or empty, and tells other processes that
    /// this one holds it. Dropping the store closes the registry.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process has it open; [`Error::NotARegistry`] and [`Error::NewerFormat`] where
    /// the folder must not be touched; [`Error::Io`] and [`Error::Storage`].
    pub fn open(dir: impl AsRef<Path>, info: HolderInfo) -> Result<Self> {
        Self::open_on(dir, info, Arc::new(RealDisk))
    }

    /// Opens the registry in `dir` with all writing going through `disk`.
    ///
    /// # Errors
    /// Those of [`SledStore::open`].
    pub fn open_on(dir: impl AsRef<Path>, info: HolderInfo, disk: Arc<dyn Disk>) -> Result<Self> {
        let dir = dir.as_ref();
        format::prepare(dir)?;
        let durable = Arc::new(Durable::new(dir, disk)?);
        let lock = FolderLock::take(dir, info, &durable)?;
        format::settle(dir, &durable, || Blobs::create(&dir.join("blobs"), &durable))?;
        let store = Self::assemble(dir, lock, durable)?;
        store.log_earlier()?;
        Ok(store)
    }

    /// Opens the parts of a folder that is locked.
    fn assemble(dir: &Path, lock: FolderLock, durable: Arc<Durable>) -> Result<Self> {
        let blobs = Blobs::open(dir.join("blobs"), durable.clone())?;
        let path = dir.join("db");
        if lock.disorder {
            durable.forget(&path)?;
        }
        leftovers::remove(&path)?;
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = config.open().map_err(storage("open the database"))?;
        let path = path.join("db");
        // Space is held behind its end, which is a kind of writing.
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        Ok(Self {
            db,
            file: Arc::new(file),
            blobs,
            durable,
            writers: Queue::default(),
            watchers: Watchers::default(),
            _lock: lock,
        })
    }

    /// Runs `work`, and commits the changes it collected, durably and at once. Writers take turns.
    fn write<T>(&self, work: impl FnOnce(&mut Changes) -> Result<T>) -> Result<T> {
        let turn = self.settled_turn()?;
        let mut changes = Changes::new(&self.db);
        let output = work(&mut changes)?;
        let logged = changes.logged().to_vec();
        let committed = self.commit(changes);
        drop(turn);
        // Also after a failure: where flushing failed, readers see the change all the same. Where the disk is full nothing happened.
        if !matches!(committed, Err(Error::DiskFull { .. })) {
            logged.iter().for_each(|change| self.watchers.tell(change));
        }
        committed.map(|()| output)
    }

    /// As [`Self::write`], but durable only with the next write: for what may be lost.
    fn write_lazily<T>(&self, work: impl FnOnce(&mut Changes) -> Result<T>) -> Result<T> {
        let _turn = self.settled_turn()?;
        let mut changes = Changes::new(&self.db);
        let output = work(&mut changes)?;
        if let Some(batch) = changes.into_batch() {
            self.durable.apply(&self.db, &self.file, batch)?;
        }
        Ok(output)
    }

    /// Waits for the writer's turn. Fails where too many wait already, and where the writing has stopped: memory may hold
    /// half a change then.
    fn settled_turn(&self) -> Result<Turn<'_>> {
        let turn = self.writers.turn()?;
        self.durable.check()?;
        Ok(turn)
    }

    /// Commits changes within a turn.
    fn commit(&self, changes: Changes) -> Result<()> {
        self.durable.commit(&self.db, &self.file, changes.into_batch())
    }
}
