//! Priorities of threads: what is off the response path yields the processor to what is on it.

/// How a thread competes for processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// As any other.
    Normal,
    /// After every other.
    Low,
}

impl Priority {
    /// Gives the calling thread this priority.
    pub fn take(self) {
        #[cfg(target_os = "linux")]
        if self == Self::Low {
            // SAFETY: no memory is involved. On Linux the caller named by 0 is the thread, not the process.
            if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) } != 0 {
                tracing::warn!("cannot lower a thread's priority: {}", std::io::Error::last_os_error());
            }
        }
    }
}
