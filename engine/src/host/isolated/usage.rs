//! What a process uses, as Linux tells it: not all that it may take is counted by a limit of the system.

use std::time::Duration;

/// Threads that a process may have.
const THREADS: u64 = 512;

/// Processor time that it has spent; none where the system does not tell.
pub(super) fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may have anything in it: the 12th and 13th of what follows.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(ticks * 1000 / second.max(1)))
}

/// In what it takes more than it may, after an "it": more bytes of memory of its own than these, or too many threads.
pub(super) fn excess(process: u32, memory: u64) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let number = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let kilobytes = number("RssAnon:")? + number("VmSwap:").unwrap_or_default();
    if kilobytes > memory >> 10 {
        let (has, may) = (kilobytes >> 10, memory >> 20);
        return Some(format!(
            "takes {has} MiB of memory, and may take {may} (memory_mib in plugins.toml)"
        ));
    }
    let threads = number("Threads:")?;
    (threads > THREADS).then(|| format!("has {threads} threads, and may have {THREADS}"))
}
