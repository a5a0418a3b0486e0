//! The folders that a worker writes to.

use std::path::Path;

use super::Finding;

/// Room below which a runtime or a spool may run out of it, bytes.
const ENOUGH: u64 = 1 << 30;

pub(super) fn look(state: Option<&Path>) -> Vec<Finding> {
    let temporary = std::env::temp_dir();
    let set_tmpdir = "make room, or set TMPDIR to a folder that has some";
    let mut findings = vec![folder("temporary folder", &temporary, set_tmpdir)];
    findings.push(match state {
        Some(state) => folder("state folder", state, "make room, or give another folder by --state"),
        None => Finding::missing("state folder", "this user has no home", "give one by --state"),
    });
    findings
}

/// Whether there is room, and may be written. A folder that is not there yet counts as the one that it will be made in.
fn folder(what: &str, path: &Path, remedy: &str) -> Finding {
    let shown = path.display();
    let Some(there) = path.ancestors().find(|folder| folder.is_dir()) else {
        return Finding::missing(what, format!("{shown} is no folder"), remedy);
    };
    if let Err(error) = tempfile::tempfile_in(there) {
        return Finding::missing(what, format!("{shown} cannot be written: {error}"), remedy);
    }
    match rustix::fs::statvfs(there) {
        Ok(room) => {
            let free = room.f_bavail.saturating_mul(room.f_frsize);
            let found = format!("{shown}, {:.1} GiB free", free as f64 / f64::from(1u32 << 30));
            if free >= ENOUGH {
                Finding::ok(what, found)
            } else {
                Finding::warning(what, found, remedy)
            }
        }
        Err(error) => Finding::warning(what, format!("{shown}: its free space is not known: {error}"), remedy),
    }
}
