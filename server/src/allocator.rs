//! glibc's allocator, set up for a process with many threads that lives long.

/// Has the threads of this process share as many heaps as there are cores, two at least. glibc would make up to eight for
/// each core, one whenever a thread finds all others taken, and each keeps what was freed in it, as large as it ever
/// was: with some thirty threads, most of them idle, memory rises for hours. Plugins allocate from the same heaps, so that
/// an allocator of the program's own would not do.
///
/// To be called before there is a second thread: glibc settles the number once. `MALLOC_ARENA_MAX` overrides it.
pub fn share_heaps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let heaps = libc::c_int::try_from(cores.max(2)).unwrap_or(libc::c_int::MAX);
        // SAFETY: it takes numbers alone, and sets the allocator up under a lock of its own. It refuses no number of heaps.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, heaps) };
    }
}

/// Gives what is free in the heaps back to the system, also what lies between pieces in use: glibc itself gives back only what is free at
/// the end of a heap, so that one small piece there keeps all that a training, or a large answer, once took. It takes some
/// milliseconds, in which others wait for memory.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number alone, and locks each heap while it is at it.
    unsafe {
        libc::malloc_trim(0)
    };
}
