//! Priorities of threads: what is off the response path yields the processor to what is on it.

/// Has the calling thread compete for processors after every other.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    // SAFETY: no memory is involved. On Linux the caller, named by 0, is the thread and not the process.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) } != 0 {
        tracing::warn!("cannot lower a thread's priority: {}", std::io::Error::last_os_error());
    }
}
