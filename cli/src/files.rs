//! How many files this process may have open: connections are files, too, and must not take those of the registry.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that everything but connections needs: libraries, logs, blobs that are read and written.
const OTHERS: u64 = 512;

/// Asks the system for as many files as that many connections need beside everything else; how many connections it allows.
pub(crate) fn allow_for(connections: usize) -> usize {
    let wanted = connections as u64 + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(now) = current.filter(|now| *now < wanted) else {
        return connections;
    };
    let raised = maximum.map_or(wanted, |most| most.min(wanted)).max(now);
    let limit = Rlimit {
        current: Some(raised),
        maximum,
    };
    let files = match setrlimit(Resource::Nofile, limit) {
        Ok(()) => raised,
        Err(_) => now,
    };
    let allowed = files.saturating_sub(OTHERS).max(1).min(connections as u64) as usize;
    if allowed < connections {
        tracing::warn!("this process may open {files} files, so that there may be {allowed} connections (ulimit -n)");
    }
    allowed
}
