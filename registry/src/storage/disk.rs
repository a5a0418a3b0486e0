//! What the registry asks of the disk when it writes. It is a seam: tests make each step fail, which a real disk does at
//! the worst moment only.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};

use super::space;

/// How long a commit may take. A disk that is busy takes seconds at worst.
const PATIENCE: Duration = Duration::from_secs(30);

/// The steps of writing, each as the operating system and sled do it. Another implementation overrides what shall fail.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates a file, or empties it, and writes its content. It is not durable before it is synced.
    ///
    /// # Errors
    /// The system's; what was written of the file stays.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Makes a file's content, or a folder's entries, durable.
    ///
    /// # Errors
    /// The system's; what was not synced may be gone for good then, and a second try may not say so.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        let _ = path;
        file.sync_all()
    }

    /// Gives a file another name on the same file system.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Creates a folder.
    ///
    /// # Errors
    /// The system's, also where it exists.
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// Forgets what memory holds of the files in a folder and the disk may not: what is read next is read from the disk.
    /// Pages that a sync failed to write would otherwise be read back as if they were there.
    ///
    /// # Errors
    /// The system's.
    fn forget(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fadvise(File::open(entry.path())?, 0, None, Advice::DontNeed)?;
            }
        }
        Ok(())
    }

    /// Holds space for the database ahead of a commit of so many bytes of records, so that it does not meet a full disk.
    ///
    /// # Errors
    /// `StorageFull`, `QuotaExceeded` or `FileTooLarge` where there is not enough; the system's others.
    fn hold(&self, database: &File, bytes: u64) -> io::Result<()> {
        space::hold(database, bytes)
    }

    /// Fails with `StorageFull` where the file system of a folder has less space than so many bytes.
    ///
    /// # Errors
    /// The system's others.
    fn require(&self, folder: &Path, bytes: u64) -> io::Result<()> {
        space::require(folder, bytes)
    }

    /// How long a commit may take before the disk counts as one that hangs.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// Puts a batch into the database: all of it or none, in memory.
    ///
    /// # Errors
    /// sled's; the batch may be there or not.
    fn apply(&self, db: &sled::Db, batch: sled::Batch) -> sled::Result<()> {
        db.apply_batch(batch)
    }

    /// Hands what the database holds in memory to the system.
    ///
    /// # Errors
    /// sled's.
    fn flush(&self, db: &sled::Db) -> sled::Result<()> {
        db.flush().map(drop)
    }

    /// Makes the database file durable.
    ///
    /// # Errors
    /// The system's, as of [`Disk::sync`].
    fn sync_database(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The disk as it is.
#[derive(Debug)]
pub struct RealDisk;

impl Disk for RealDisk {}
