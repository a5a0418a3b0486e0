//! How much memory the machine has left.

use std::fs;

/// Where a group of processes, such as a container, has its limit and what it uses.
const GROUP: &str = "/sys/fs/cgroup/memory";

/// Bytes that processes may still take: of the machine, or of the group that this one is in where that has less. Where the
/// system does not tell, there is no end.
pub(super) fn available() -> u64 {
    let number = |path: String| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let machine = || {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    // A group without a limit says `max`, which is no number.
    let group = || number(format!("{GROUP}.max"))?.checked_sub(number(format!("{GROUP}.current"))?);
    let machine = machine().map_or(u64::MAX, |kib| kib << 10);
    group().map_or(machine, |group| machine.min(group))
}
