//! Restoring a backup into a folder of its own.
//!
//! The registry grows in `<dir>.restoring` beside its place, without the `format.json` that makes a folder a registry, and
//! is moved to its place when it is whole, checked and durable. Cut off before that, it is begun anew the next time.

use std::fs::{self, File};
use std::io::Read;
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lock::FolderLock;
use super::{HolderInfo, SledStore, format};
use crate::storage::archive::{self, Sink};
use crate::storage::blobs::Blobs;
use crate::storage::disk::RealDisk;
use crate::storage::durable::{Batch, Durable};
use crate::storage::files::failed;
use crate::{Error, Manifest, Result};

/// Records that are put into the database at once.
const BATCH: usize = 1000;

impl SledStore {
    /// Makes the registry that `archive` is a backup of, in `dir`, which must be empty or missing. The backup is read to
    /// its end, and the registry checked as a whole, before `dir` holds anything.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `dir` is not empty; [`Error::BadBackup`]; [`Error::Locked`] where the same folder is
    /// being restored by another process; [`Error::Io`] and [`Error::Storage`].
    pub fn restore(dir: impl AsRef<Path>, archive: &mut dyn Read) -> Result<Manifest> {
        let dir = std::path::absolute(dir.as_ref()).map_err(failed("find", dir.as_ref()))?;
        require_empty(&dir)?;
        let growing = growing(&dir)?;
        fs::create_dir_all(&growing).map_err(failed("create", &growing))?;
        let durable = Arc::new(Durable::new(&growing, Arc::new(RealDisk))?);
        let info = HolderInfo {
            address: None,
            command: "lglp registry restore".to_owned(),
        };
        let lock = FolderLock::take(&growing, info, &durable)?;
        clear(&growing)?;
        let restored = grow(&growing, lock, &durable, archive).and_then(|manifest| {
            format::mark(&growing, &durable)?;
            fs::rename(&growing, &dir).map_err(failed("rename", &growing))?;
            durable.sync_parent(&dir)?;
            Ok(manifest)
        });
        if restored.is_err() {
            // It would be removed by the next one.
            let _ = fs::remove_dir_all(&growing);
        }
        restored
    }
}

fn grow(dir: &Path, lock: FolderLock, durable: &Arc<Durable>, archive: &mut dyn Read) -> Result<Manifest> {
    durable.create_folder(&dir.join("db"))?;
    Blobs::create(&dir.join("blobs"), durable)?;
    let store = SledStore::assemble(dir, lock, durable.clone())?;
    let mut records = Records {
        store: &store,
        batch: Batch::default(),
        waiting: 0,
    };
    let manifest = archive::read(archive, &mut records)?;
    let last = take(&mut records.batch);
    durable.commit(&store.db, &store.file, Some(last))?;
    let verification = store.check_all(&|_, _| {})?;
    if let Some(finding) = verification.findings.first() {
        let reason = format!("{}: {}", finding.subject, finding.fault);
        return Err(Error::BadBackup { reason });
    }
    if verification.audit.as_ref() != Some(&manifest.audit) {
        let reason = format!("its manifest says that the audit log ends with {}", manifest.audit);
        return Err(Error::BadBackup { reason });
    }
    drop(store);
    // sled syncs its files; that they are in their folder is for us to see to.
    durable.sync_parent(&dir.join("db").join("db"))?;
    Ok(manifest)
}

/// Puts what is read into a store.
struct Records<'a> {
    store: &'a SledStore,
    batch: Batch,
    waiting: usize,
}

impl Sink for Records<'_> {
    fn record(&mut self, key: String, value: &[u8]) -> Result<()> {
        self.batch.insert(key, value);
        self.waiting += 1;
        if self.waiting < BATCH {
            return Ok(());
        }
        self.waiting = 0;
        let SledStore { db, file, durable, .. } = self.store;
        durable.apply(db, file, take(&mut self.batch))
    }

    fn blob(&mut self, bytes: &[u8]) -> Result<()> {
        self.store.blobs.put(bytes).map(drop)
    }
}

fn require_empty(dir: &Path) -> Result<()> {
    let not_empty = || {
        let reason = "is not empty; a backup is restored into an empty or missing folder only";
        Error::invalid("registry", format!("{} {reason}", dir.display()))
    };
    match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().map_or(Ok(()), |_| Err(not_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("list", dir)(error)),
    }
}

/// Where the registry of `dir` grows: a folder that is ours, since it is missing or has a lock.
fn growing(dir: &Path) -> Result<PathBuf> {
    let name = dir
        .file_name()
        .ok_or_else(|| Error::invalid("registry", "the root is no place for a registry"))?;
    let mut name = name.to_owned();
    name.push(".restoring");
    let growing = dir.with_file_name(name);
    if growing.exists() && !growing.join("lock").exists() {
        require_empty(&growing)?;
    }
    Ok(growing)
}

/// Removes what an interrupted restoration left. The lock is held and stays.
fn clear(growing: &Path) -> Result<()> {
    for folder in ["db", "blobs"].map(|part| growing.join(part)) {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
        }
    }
    let format = growing.join("format.json");
    if format.exists() {
        fs::remove_file(&format).map_err(failed("remove", &format))?;
    }
    File::open(growing)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", growing))
}
