//! What the helper may take of the machine: what a network takes is told beforehand by its shapes, and a library may take more.

use std::fs;

/// Has this process be the first that the system ends where memory runs out, and lets it take three quarters of what is free now, at most:
/// beyond that the library fails to get any, and says so. Where the system does not tell, there is no limit.
pub(crate) fn confine() {
    // Raising one's own is allowed to everybody; where there is no such file, nothing is lost.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let free = kib("/proc/meminfo", "MemAvailable:");
    let held = kib("/proc/self/status", "VmData:");
    if let (Some(free), Some(held)) = (free, held) {
        let most = (held + free / 4 * 3) << 10;
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: both take a pointer to two numbers, which the first writes and the second reads. What the system does not take changes nothing;
        // the owner's own limit stays where it is lower.
        unsafe {
            if libc::getrlimit(libc::RLIMIT_DATA, &raw mut limit) == 0 {
                limit.rlim_cur = limit.rlim_cur.min(most);
                libc::setrlimit(libc::RLIMIT_DATA, &raw const limit);
            }
        }
    }
}

/// A number of a file of the system's, KiB, by its name there.
fn kib(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
