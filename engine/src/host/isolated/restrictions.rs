//! What a process that runs a plugin may do, decided before the plugin's first line of code: limits of the system, no capabilities,
//! and, in the sandbox, no files but those that programs need, no other programs, no network, no signals to others.
//!
//! What a kernel does not know is left out, and the host is told what holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, CpuSet, sched_setaffinity, set_capabilities, set_no_new_privs};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

use super::message::Restrictions;
use crate::host::in_process::native_folder;

/// Of Linux's `fcntl.h`, which the crate libc does not have for every system.
const F_SETSIG: libc::c_int = 10;
const F_SETOWN_EX: libc::c_int = 15;

/// Address space beyond the memory of its own: libraries, shared memory, and what allocators set aside and do not use.
const ADDRESSES: u64 = 64 << 30;

/// Files that may be open.
const FILES: u64 = 256;

/// What programs read: libraries, what the loader, the C library and the numerical ones look up.
const READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/os-release",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];

/// What programs read and write.
const WRITE: &[&str] = &["/dev/null"];

/// Restricts this process, for good; what holds, in words. `interpreter`: a program that it becomes then.
///
/// # Errors
/// Where a limit of the system cannot be set.
pub(super) fn apply(restrictions: &Restrictions, interpreter: Option<&str>) -> anyhow::Result<Vec<String>> {
    let Restrictions {
        sandbox,
        memory,
        processors,
        read,
    } = restrictions;
    limit(Resource::Core, 0)?;
    limit(Resource::Data, *memory)?;
    limit(Resource::As, memory.saturating_add(ADDRESSES))?;
    let mut held = vec![format!("memory {} MiB", memory >> 20)];
    if !processors.is_empty() {
        let mut set = CpuSet::new();
        for processor in processors {
            set.set(*processor);
        }
        if sched_setaffinity(None, &set).is_ok() {
            held.push(format!("processors {}", processors.len()));
        }
    }
    if !sandbox {
        return Ok(held);
    }
    limit(Resource::Nofile, FILES)?;
    set_no_new_privs(true)?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none)?;
    held.extend(files_and_network(read, interpreter)?);
    if system_calls(interpreter.is_some()).is_ok() {
        held.push("seccomp".to_owned());
    }
    Ok(held)
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let now = rustix::process::getrlimit(resource).maximum;
    let most = Some(now.map_or(most, |now| now.min(most)));
    let both = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(setrlimit(resource, both)?)
}

/// Landlock, as far as the kernel has it.
fn files_and_network(read: &[String], interpreter: Option<&str>) -> anyhow::Result<Option<String>> {
    let abi = ABI::V6;
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?;
    let mut ruleset = ruleset.create()?;
    let native = native_folder();
    // Programs of the plugin's own do not start; but to read as a library what may be started is no harm.
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let known = READ.iter().map(PathBuf::from);
    let own = read.iter().map(PathBuf::from).chain([native]);
    for path in known.chain(own) {
        ruleset = allow(ruleset, &path, reading)?;
    }
    for path in WRITE {
        ruleset = allow(ruleset, Path::new(path), reading | AccessFs::WriteFile)?;
    }
    if let Some(interpreter) = interpreter {
        for folder in super::python::folders(interpreter) {
            ruleset = allow(ruleset, &folder, reading | AccessFs::Execute)?;
        }
        for loader in ["/lib64", "/lib", "/usr/lib"] {
            ruleset = allow(ruleset, Path::new(loader), reading | AccessFs::Execute)?;
        }
    }
    let held = ruleset.restrict_self()?.ruleset != RulesetStatus::NotEnforced;
    Ok(held.then(|| "landlock".to_owned()))
}

fn allow(
    ruleset: landlock::RulesetCreated,
    path: &Path,
    mut access: landlock::BitFlags<AccessFs>,
) -> anyhow::Result<landlock::RulesetCreated> {
    // What is not there needs no leave.
    let Ok(opened) = PathFd::new(path) else {
        return Ok(ruleset);
    };
    if !path.is_dir() {
        access.remove(AccessFs::ReadDir);
    }
    Ok(ruleset.add_rule(PathBeneath::new(opened, access))?)
}

/// Seccomp: what has no place in arithmetic fails with EPERM.
fn system_calls(becomes_another: bool) -> anyhow::Result<()> {
    let own = u64::from(std::process::id());
    let is_other = |argument| {
        let other = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?;
        SeccompRule::new(vec![other])
    };
    let thread = libc::CLONE_THREAD as u64;
    let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    if !becomes_another {
        rules.extend([libc::SYS_execve, libc::SYS_execveat].map(|call| (call, Vec::new())));
    }
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
    for call in [
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        rules.insert(call, vec![is_other(0)?]);
    }
    let neither = |value| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value);
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
    ] {
        rules.insert(call, vec![SeccompRule::new(vec![neither(0)?, neither(own)?])?]);
    }
    // It ends with lglp, whatever it says.
    let is_command = |argument, command: libc::c_int| {
        let same = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, command as u64)?;
        SeccompRule::new(vec![same])
    };
    rules.insert(libc::SYS_prctl, vec![is_command(0, libc::PR_SET_PDEATHSIG)?]);
    // Signals to others by way of a descriptor, and buffers that no limit counts.
    let commands = [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG, libc::F_SETPIPE_SZ];
    let commands = commands.map(|command| is_command(1, command));
    rules.insert(libc::SYS_fcntl, commands.into_iter().collect::<Result<_, _>>()?);
    // Memory that is shared with nobody, or grows as a stack does, and that no limit counts.
    let shared = (libc::MAP_SHARED | libc::MAP_ANONYMOUS) as u64;
    let is_shared = SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(shared), shared)?;
    let grows = libc::MAP_GROWSDOWN as u64;
    let is_growing = SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(grows), grows)?;
    let unlimited = vec![SeccompRule::new(vec![is_shared])?, SeccompRule::new(vec![is_growing])?];
    rules.insert(libc::SYS_mmap, unlimited);
    install(rules, libc::EPERM)?;
    // Its arguments cannot be looked at; without it threads are made by `clone`.
    install(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

fn install(rules: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> anyhow::Result<()> {
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(error.unsigned_abs()),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

/// Of processes, the network, other processes' memory, the machine as a whole, and ways around this list.
const REFUSED: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    // Of files that others own by the same account: landlock knows nothing of modes, owners, times and attributes.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
    libc::SYS_utimensat,
    // What outlives a process, or reaches others.
    libc::SYS_inotify_init1,
    libc::SYS_mq_open,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_semget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_add_key,
    libc::SYS_bind,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_connect,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_ioprio_set,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_listen,
    libc::SYS_memfd_create,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_sched_setaffinity,
    libc::SYS_setns,
    libc::SYS_setpriority,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    libc::SYS_shmget,
    libc::SYS_socket,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_tkill,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];
