//! Changing a registry's records behind its back.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long sled's threads may go on holding the database after it was closed in this process. A loaded machine took half a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `work` on the database of the registry in `dir`, which nobody has open, and makes its changes durable.
///
/// # Panics
/// Where the database cannot be opened, or written.
pub fn edit<T>(dir: &Path, work: impl FnOnce(&sled::Db) -> T) -> T {
    let path = dir.join("db");
    let deadline = Instant::now() + PATIENCE;
    let db = loop {
        match sled::open(&path) {
            Ok(db) => break db,
            Err(error) if error.to_string().contains("acquire lock") && Instant::now() < deadline => {
                sleep(Duration::from_millis(20));
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    };
    let output = work(&db);
    db.flush().expect("the changes are durable");
    output
}
