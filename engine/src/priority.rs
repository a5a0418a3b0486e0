//! Priorities of threads: what is off the response path yields the processor to what is on it.

use std::time::Duration;

/// Has the calling thread run where no other wants the processor. Niceness would not do: the scheduler lets a thread of any
/// niceness finish the slice that it is in, some milliseconds, while requests wait; an idle one yields at once. It still gets
/// a small share of a machine that is busy throughout.
pub fn lower() {
    lower_other(0);
}

/// The same for a thread of this process, as [`this_thread`] numbers it; on Linux 0 is the caller.
pub fn lower_other(thread: u64) {
    #[cfg(target_os = "linux")]
    {
        let parameter = libc::sched_param { sched_priority: 0 };
        let thread = libc::pid_t::try_from(thread).unwrap_or(0);
        // SAFETY: the parameter outlives the call. On Linux the number names a thread and not the process; one that has
        // ended is refused.
        if unsafe { libc::sched_setscheduler(thread, libc::SCHED_IDLE, &raw const parameter) } != 0 {
            tracing::warn!("cannot lower a thread's priority: {}", std::io::Error::last_os_error());
        }
    }
}

/// The calling thread's number.
pub fn this_thread() -> u64 {
    u64::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap_or_default()
}

/// How long a thread of this process has waited for a processor that others had, in all; zero where the system does not
/// tell.
pub fn waited(thread: u64) -> Duration {
    let told = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).unwrap_or_default();
    let ns = told.split_whitespace().nth(1).and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or_default())
}
