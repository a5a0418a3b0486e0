//! Whether memory grows from call to call.

use super::{Subject, Verdict};
use crate::host::PluginError;

/// Calls after which memory is looked at for the first time, and those behind them.
const WARM_UP: usize = 1_000;
const CALLS: usize = 10_000;

/// What may be lost, bytes: of a call, and in all.
const OF_A_CALL: usize = 64;
const IN_ALL: usize = 2 << 20;

/// Percent of the time that is spent on it at most.
const SHARE: u32 = 60;

/// Calls something again and again.
pub(super) fn grows(
    subject: &Subject,
    mut call: impl FnMut() -> Result<(), PluginError>,
) -> Result<Verdict, PluginError> {
    for _ in 0..WARM_UP {
        call()?;
        if subject.is_late(SHARE / 4) {
            break;
        }
    }
    let before = resident();
    let mut calls = 0;
    while calls < CALLS && !subject.is_late(SHARE) {
        call()?;
        calls += 1;
    }
    let grown = resident().saturating_sub(before);
    Ok(match grown > IN_ALL && grown > calls * OF_A_CALL {
        true => Verdict::Failed(format!("{} KiB more after {calls} calls", grown >> 10)),
        false if calls < CALLS => Verdict::Passed(format!("{calls} calls, for want of time")),
        false => Verdict::Passed(format!("{calls} calls")),
    })
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm");
    let pages = pages
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * rustix::param::page_size()
}
