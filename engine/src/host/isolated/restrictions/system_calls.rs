//! System calls, by seccomp: those that arithmetic, threads and an interpreter need, and no others. What is refused fails with EPERM.

use std::collections::BTreeMap;

use libc::c_int;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// Of Linux's `prctl.h`, for processors of ARM: how wide their vectors are.
const PR_SVE_GET_VL: c_int = 51;
const PR_SME_GET_VL: c_int = 64;

/// What of a descriptor may be changed: nothing that locks a file, sends signals, or makes a pipe larger.
const COMMANDS: &[c_int] = &[
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GET_SEALS,
];

/// What may be asked of a descriptor: whether it is a terminal, what is there to read, and to close it for programs that are started.
const REQUESTS: &[u64] = &[
    libc::TCGETS,
    libc::TCGETS2,
    libc::TIOCGWINSZ,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::FIOCLEX,
    libc::FIONCLEX,
];

/// What of a process may be changed: names. Not, above all, that it ends with lglp.
const OPTIONS: &[c_int] = &[
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_SET_VMA,
    PR_SVE_GET_VL,
    PR_SME_GET_VL,
    libc::PR_CAPBSET_READ,
    libc::PR_GET_DUMPABLE,
    libc::PR_SET_THP_DISABLE,
    libc::PR_GET_THP_DISABLE,
];

/// Restricts this thread and all that it starts; whether the kernel holds it to that. `becomes_another`: it becomes an interpreter then.
pub(super) fn restrict(becomes_another: bool) -> anyhow::Result<bool> {
    let own = u64::from(std::process::id());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    if becomes_another {
        rules.insert(libc::SYS_execve, Vec::new());
    }
    // Threads as pthreads are, which share all that limits count, and no processes.
    let thread = [
        libc::CLONE_VM,
        libc::CLONE_FS,
        libc::CLONE_FILES,
        libc::CLONE_SIGHAND,
        libc::CLONE_THREAD,
        libc::CLONE_SYSVSEM,
    ];
    let thread = thread.into_iter().fold(0, |all, flag| all | flag as u64);
    rules.insert(libc::SYS_clone, vec![masked(0, thread, thread)?]);
    rules.insert(
        libc::SYS_close_range,
        one_of(2, [0, u64::from(libc::CLOSE_RANGE_CLOEXEC)])?,
    );
    for call in [
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        rules.insert(call, one_of(0, [own])?);
    }
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
    ] {
        rules.insert(call, one_of(0, [0, own])?);
    }
    rules.insert(libc::SYS_fcntl, one_of(1, COMMANDS.iter().map(|one| *one as u64))?);
    rules.insert(libc::SYS_ioctl, one_of(1, REQUESTS.iter().copied())?);
    // An interpreter gives up starting programs, once it is there.
    let options = OPTIONS.iter().chain(becomes_another.then_some(&libc::PR_SET_SECCOMP));
    rules.insert(libc::SYS_prctl, one_of(0, options.map(|one| *one as u64))?);
    // On the socket to lglp, which is the only one: no address, and nothing out of order.
    let usual = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_PEEK | libc::MSG_WAITALL;
    let flags = || {
        SeccompCondition::new(
            3,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(u64::from(!usual as u32)),
            0,
        )
    };
    let no_address = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![no_address, flags()?])?]);
    rules.insert(libc::SYS_recvfrom, vec![SeccompRule::new(vec![flags()?])?]);
    // No memory that no limit counts: shared with nobody, or growing as a stack does.
    let (shared, nobody) = (libc::MAP_SHARED as u64, libc::MAP_ANONYMOUS as u64);
    let looked_at = shared | nobody | libc::MAP_GROWSDOWN as u64;
    let counted = [0, nobody, shared].map(|flags| masked(3, looked_at, flags));
    rules.insert(libc::SYS_mmap, counted.into_iter().collect::<Result<_, _>>()?);
    let (refused, unknown) = (libc::EPERM.unsigned_abs(), libc::ENOSYS.unsigned_abs());
    // Its arguments cannot be looked at; without it threads are made by `clone`.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    // It comes first, since the list has no room for a call that installs another.
    match install(clone3, SeccompAction::Allow, SeccompAction::Errno(unknown)) {
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error)) if is_unknown(&error) => {
            return Ok(false);
        }
        installed => installed?,
    }
    // Where threads run is decided; those who bind theirs go on as if they could.
    let affinity = BTreeMap::from([(libc::SYS_sched_setaffinity, Vec::new())]);
    install(affinity, SeccompAction::Allow, SeccompAction::Errno(0))?;
    install(rules, SeccompAction::Errno(refused), SeccompAction::Allow)?;
    Ok(true)
}

/// Whether a kernel says that it does not have seccomp.
fn is_unknown(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL))
}

/// That an argument of 32 bits is one of these.
fn one_of(argument: u8, values: impl IntoIterator<Item = u64>) -> anyhow::Result<Vec<SeccompRule>> {
    let rule = |value: u64| {
        let same = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
        Ok(SeccompRule::new(vec![same])?)
    };
    values.into_iter().map(rule).collect()
}

/// That an argument has these of the bits that are looked at.
fn masked(argument: u8, looked_at: u64, bits: u64) -> anyhow::Result<SeccompRule> {
    let same = SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::MaskedEq(looked_at),
        bits,
    )?;
    Ok(SeccompRule::new(vec![same])?)
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    these: SeccompAction,
) -> seccompiler::Result<()> {
    let filter = SeccompFilter::new(rules, others, these, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

/// Whatever their arguments are.
const ALLOWED: &[i64] = &[
    // Memory of its own.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munmap,
    libc::SYS_mbind,
    libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_pkey_mprotect,
    // Threads, and what they wait for; `clone3` and `sched_setaffinity` are answered by filters of their own.
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_getcpu,
    libc::SYS_membarrier,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    // Signals of its own.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_alarm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pause,
    // Time.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getitimer,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_setitimer,
    libc::SYS_times,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    // Files, which landlock decides about, and descriptors.
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pipe2,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getdents,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    // Waiting for descriptors; what the socket to lglp is.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_create,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    // Who it is, and on what machine.
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getpriority,
    libc::SYS_getrandom,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrusage,
    libc::SYS_getsid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_sysinfo,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_waitid,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getpgrp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getrlimit,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_setrlimit,
];
