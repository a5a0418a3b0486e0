//! Priorities of threads: what is off the response path yields the processor to what is on it.

/// Has the calling thread run where no other wants the processor. Niceness would not do: the scheduler lets a thread of any
/// niceness finish the slice that it is in, some milliseconds, while requests wait; an idle one yields at once. It still gets
/// a small share of a machine that is busy throughout.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    {
        let parameter = libc::sched_param { sched_priority: 0 };
        // SAFETY: the parameter outlives the call. On Linux the caller, named by 0, is the thread and not the process.
        if unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameter) } != 0 {
            tracing::warn!("cannot lower a thread's priority: {}", std::io::Error::last_os_error());
        }
    }
}
