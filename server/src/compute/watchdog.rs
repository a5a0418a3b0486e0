//! Deadlines of calls into plugins.
//!
//! Time counts while a thread runs or sleeps in a plugin, not while it waits for a processor that others have, nor while
//! this thread, too, stands still: a busy or suspended machine is no fault of a plugin.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lglp_engine::priority;

use super::members::{Member, Shared};

/// Time between two looks: a part of the deadline, within bounds.
fn interval(deadline: Duration) -> Duration {
    (deadline / 10).clamp(Duration::from_millis(10), Duration::from_millis(500))
}

/// A call that was seen before.
struct Seen {
    call: u64,
    /// Time that the thread has spent waiting for a processor when the call was first seen.
    waited: Duration,
    /// Time since, while this thread was looking.
    passed: Duration,
}

/// Watches the threads of a crew until it ends.
pub(super) fn start(crew: &Arc<Shared>, deadline: Duration) -> std::io::Result<()> {
    let (name, crew) = (format!("{} watch", crew.name), Arc::downgrade(crew));
    std::thread::Builder::new()
        .name(name)
        .spawn(move || watch(&crew, deadline))?;
    Ok(())
}

fn watch(crew: &Weak<Shared>, deadline: Duration) {
    let interval = interval(deadline);
    let mut seen: HashMap<*const Member, Seen> = HashMap::new();
    let mut looked = Instant::now();
    loop {
        std::thread::sleep(interval);
        let Some(crew) = crew.upgrade().filter(|crew| !crew.is_stopping()) else {
            return;
        };
        let passed = looked.elapsed().min(2 * interval);
        looked = Instant::now();
        let members = crew.members().clone();
        let mut still = HashMap::new();
        for member in &members {
            let Some(call) = member.calls.call() else { continue };
            let waited = || priority::waited(member.thread.load(std::sync::atomic::Ordering::Relaxed));
            let before = seen.remove(&Arc::as_ptr(member)).filter(|seen| seen.call == call);
            let now = match before {
                Some(seen) => Seen {
                    passed: seen.passed + passed,
                    ..seen
                },
                None => Seen {
                    call,
                    waited: waited(),
                    passed: Duration::ZERO,
                },
            };
            if now.passed > deadline && now.passed.saturating_sub(waited().saturating_sub(now.waited)) > deadline {
                crew.give_up(member, call, deadline);
            } else {
                still.insert(Arc::as_ptr(member), now);
            }
        }
        seen = still;
        if let Err(error) = crew.fill() {
            tracing::error!("cannot replace a thread that was lost to a plugin: {error}");
        }
    }
}
