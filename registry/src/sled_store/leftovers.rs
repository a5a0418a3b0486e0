//! What sled leaves behind that it cannot take itself, when it is opened the next time.
//!
//! - sled writes its snapshot to `snap.<lsn>.generating` and renames it; opened anew, it takes a half written one for the
//!   newest snapshot and calls the database corrupt. The one before it is still there, and the log says the rest.
//! - sled writes `conf` in two steps before it creates the database. Cut off between them, `conf` cannot be read, and
//!   there is no database yet that it could describe.
//! - sled's threads hold the database file, and its lock, for a moment after sled was closed in this process.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::Result;
use crate::storage::files::failed;

/// How often a locked file is tried, and how long after each try: two seconds in all.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Removes it from the folder of a database that nobody has open.
pub(super) fn remove(db: &Path) -> Result<()> {
    let entries = fs::read_dir(db).map_err(failed("list", db))?;
    for entry in entries {
        let entry = entry.map_err(failed("list", db))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let half = name.starts_with("snap.") && name.ends_with(".generating");
        let early = name == "conf" && !db.join("db").exists();
        if half || early {
            fs::remove_file(entry.path()).map_err(failed("remove", &entry.path()))?;
        }
    }
    await_release(&db.join("db"))
}

/// Waits until sled has let go of its file. Where somebody else holds it for longer, opening says so.
pub(super) fn await_release(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let file = File::open(path).map_err(failed("open", path))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
            // Closing the file lets the lock go.
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
        }
    }
    Ok(())
}
