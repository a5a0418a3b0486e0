//! One process at a time: an advisory lock decides, `holder.json` beside it only tells who.
//!
//! The system releases the lock when its process ends, however it ends. A `holder.json` that a killed process left
//! behind is never believed: it is read only while the lock is held, and overwritten by the next holder. That it is there
//! tells that the last holder was killed, or could not make its writes durable.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::leftovers;
use crate::storage::durable::Durable;
use crate::storage::files::{failed, read};
use crate::storage::space;
use crate::{Error, Holder, Result};

/// How often a busy lock is tried again, and how long after each try. Whoever asks for the holder has the lock for a
/// moment, and a new holder writes its name a moment after it took the lock.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// What the opener of a registry tells others about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolderInfo {
    /// Where it serves the registry, as a URL, if it does.
    pub address: Option<String>,
    /// What it is, for messages: `lglp serve`. No arguments: they may hold secrets.
    pub command: String,
}

/// The process that has the registry in `dir` open; `None` where there is none.
///
/// # Errors
/// [`Error::Locked`] without a holder where some process has it open and did not say who it is; [`Error::Io`].
pub fn holder(dir: impl AsRef<Path>) -> Result<Option<Holder>> {
    let dir = dir.as_ref();
    let path = dir.join("lock");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    for _ in 0..TRIES {
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
        if let Some(holder) = read_holder(dir) {
            return Ok(Some(holder));
        }
        sleep(PAUSE);
    }
    Err(Error::Locked {
        dir: dir.to_owned(),
        holder: None,
    })
}

/// The lock on a registry's folder, held until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    dir: PathBuf,
    durable: Arc<Durable>,
    /// Whether the last holder left in disorder.
    pub(super) disorder: bool,
    _file: File,
}

impl FolderLock {
    /// Takes the lock and writes down who holds it.
    pub(super) fn take(dir: &Path, info: HolderInfo, durable: &Arc<Durable>) -> Result<Self> {
        let path = dir.join("lock");
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = options.map_err(failed("open", &path))?;
        let mut tries = 1;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked {
                        dir: dir.to_owned(),
                        holder: read_holder(dir),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
        let database = dir.join("db").join("db");
        leftovers::await_release(&database)?;
        space::give_up(&database).map_err(failed("cut", &database))?;
        let disorder = holder_path(dir).exists();
        let HolderInfo { address, command } = info;
        let holder = Holder {
            pid: std::process::id(),
            address,
            command,
        };
        let text = serde_json::to_vec(&holder).expect("a holder has a JSON form");
        durable.write(&dir.join("holder.json.tmp"), &holder_path(dir), &text)?;
        Ok(Self {
            dir: dir.to_owned(),
            durable: durable.clone(),
            disorder,
            _file: file,
        })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Left behind it is only overwritten: the lock decides.
        if self.durable.check().is_ok() {
            let _ = std::fs::remove_file(holder_path(&self.dir));
        }
    }
}

fn holder_path(dir: &Path) -> PathBuf {
    dir.join("holder.json")
}

/// Who wrote itself down last. It is a hint: a file that cannot be read counts as none.
fn read_holder(dir: &Path) -> Option<Holder> {
    let bytes = read(&holder_path(dir)).ok()??;
    serde_json::from_slice(&bytes).ok()
}
