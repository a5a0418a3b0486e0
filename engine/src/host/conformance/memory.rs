//! Whether memory grows from call to call.

use super::{ELSEWHERE, Subject, Verdict};
use crate::host::PluginError;

/// Calls after which memory is looked at for the first time, and those behind them.
const WARM_UP: usize = 1_000;
const CALLS: usize = 10_000;

/// What may be lost, bytes: of a call, and in all.
const OF_A_CALL: usize = 64;
const IN_ALL: usize = 1 << 20;

/// Fewer calls tell nothing.
const FEWEST: usize = 100;

/// Files that may be open after all calls, more than before.
const FILES: usize = 32;

/// Percent of the time that is spent on it at most.
const SHARE: u32 = 60;

/// Calls something again and again.
pub(super) fn grows(
    subject: &Subject,
    mut call: impl FnMut() -> Result<(), PluginError>,
) -> Result<Verdict, PluginError> {
    if subject.handle.is_isolated() {
        return Ok(Verdict::Skipped(ELSEWHERE.to_owned()));
    }
    for _ in 0..WARM_UP {
        call()?;
        if subject.is_late(SHARE / 4) {
            break;
        }
    }
    let (before, files) = (resident(), open_files());
    let mut calls = 0;
    while calls < CALLS && !subject.is_late(SHARE) {
        call()?;
        calls += 1;
    }
    let (grown, opened) = (resident().saturating_sub(before), open_files().saturating_sub(files));
    Ok(match () {
        () if calls < FEWEST => Verdict::Skipped(format!(
            "{calls} calls, which tell nothing: give it more time by --limit"
        )),
        () if opened > FILES => Verdict::Failed(format!("{opened} files more are open after {calls} calls")),
        () if grown > IN_ALL && grown > calls * OF_A_CALL => {
            Verdict::Failed(format!("{} KiB more after {calls} calls", grown >> 10))
        }
        () if calls < CALLS => Verdict::Passed(format!("{calls} calls, for want of time")),
        () => Verdict::Passed(format!("{calls} calls")),
    })
}

/// Files that this process has open.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm");
    let pages = pages
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * rustix::param::page_size()
}
