//! What a kill leaves in sled's folder that sled itself cannot take.
//!
//! - sled writes its snapshot to `snap.<lsn>.generating` and renames it; opened anew, it takes a half written one for the
//!   newest snapshot and calls the database corrupt. The one before it is still there, and the log says the rest.
//! - sled writes `conf` in two steps before it creates the database. Cut off between them, `conf` cannot be read, and
//!   there is no database yet that it could describe.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::files::failed;

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
    Ok(())
}
