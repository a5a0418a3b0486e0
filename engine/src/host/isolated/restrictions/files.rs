//! Files and the network, by landlock, as far as the kernel has it.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::host::in_process::native_folder;
use crate::host::isolated::python;

/// What programs read: libraries, what the loader, the C library and the numerical ones look up. Of processes, they see their own alone.
const READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/version",
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

/// Lets this process read what programs read, these folders and files, and nothing else; whether the kernel holds it to that.
/// `interpreter`: a program that it becomes then.
pub(super) fn restrict(read: &[String], interpreter: Option<&str>) -> anyhow::Result<bool> {
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
        for folder in python::folders(interpreter) {
            ruleset = allow(ruleset, &folder, reading | AccessFs::Execute)?;
        }
        for loader in ["/lib64", "/lib", "/usr/lib"] {
            ruleset = allow(ruleset, Path::new(loader), reading | AccessFs::Execute)?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

fn allow(ruleset: RulesetCreated, path: &Path, mut access: BitFlags<AccessFs>) -> anyhow::Result<RulesetCreated> {
    // What is not there needs no leave.
    let Ok(opened) = PathFd::new(path) else {
        return Ok(ruleset);
    };
    if !path.is_dir() {
        access.remove(AccessFs::ReadDir);
    }
    let ruleset = ruleset.add_rule(PathBeneath::new(&opened, access))?;
    if path.starts_with("/proc") {
        // A rule is of an inode, and /proc makes another once nobody holds the one that there is: it is held for as long as this process
        // lives, whatever program that becomes. To hold a place gives no more leave than the rule does.
        std::mem::forget(rustix::io::dup(&opened)?);
    }
    Ok(ruleset)
}
