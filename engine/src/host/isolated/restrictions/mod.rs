//! What a process that runs a plugin may do, decided before the plugin's first line of code: limits of the system, no capabilities,
//! and, in the sandbox, no files but those that programs need, no other programs, no network, no signals to others.
//!
//! What a kernel does not know is left out, and the host is told what holds.

mod files;
mod system_calls;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, CpuSet, sched_setaffinity, set_capabilities, set_no_new_privs};

use super::message::Restrictions;

/// Address space beyond the memory of its own: libraries, shared memory, and what allocators set aside and do not use.
const ADDRESSES: u64 = 64 << 30;

/// Signals that may wait: all processes of an account share what the system has of them.
const SIGNALS: u64 = 64;

/// Bytes of a stack: what Linux usually gives.
const STACK: u64 = 8 << 20;

/// Files that may be open.
const FILES: u64 = 256;

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
    limit(Resource::Sigpending, SIGNALS)?;
    // Whoever is short of memory ends this process before lglp.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // The limit of data does not count it.
    limit(Resource::Stack, STACK)?;
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
    held.extend(files::restrict(read, interpreter)?.then(|| "landlock".to_owned()));
    held.extend(system_calls::restrict(interpreter.is_some())?.then(|| "seccomp".to_owned()));
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
