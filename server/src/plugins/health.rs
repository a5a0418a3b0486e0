//! Quarantine: a plugin that a call does not come back from is asked nothing more, until it has come back.
//!
//! A thread inside of a plugin cannot be ended from outside. What can be done is to stop sending others after it. Threads
//! that must not be lost unseen are watched ([`CallWatch`]): each says what call it is in, and whoever watches them decides
//! when that takes too long.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{ComponentHandle, PluginError};

/// Whether a plugin answers.
#[derive(Debug)]
pub struct Health {
    plugin: String,
    /// Calls that were given up and have not come back.
    overdue: AtomicUsize,
}

impl Health {
    pub(super) fn new(plugin: &str) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.to_owned(),
            overdue: AtomicUsize::new(0),
        })
    }

    /// Why it is asked nothing, where that is so.
    pub fn quarantine(&self) -> Option<String> {
        let calls = self.overdue.load(Ordering::Acquire);
        (calls > 0).then(|| {
            format!(
                "in quarantine: {calls} of its calls took longer than the plugin deadline and have not come back; it is used \
                 again once they have, or after a restart"
            )
        })
    }

    /// Refuses calls into a plugin that does not answer.
    ///
    /// # Errors
    /// `Quarantined`.
    pub fn admit(&self) -> Result<(), PluginError> {
        match self.quarantine() {
            None => Ok(()),
            Some(reason) => Err(PluginError::Quarantined {
                plugin: self.plugin.clone(),
                reason,
            }),
        }
    }
}

/// What a watched thread is doing in plugins.
#[derive(Default)]
pub struct CallWatch(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    /// Calls so far: the number of the one in progress, where one is.
    count: u64,
    now: Option<Call>,
}

struct Call {
    health: Arc<Health>,
    component: String,
    given_up: bool,
}

/// A call that was given up.
#[derive(Clone, Debug)]
pub struct GivenUp {
    pub plugin: String,
    pub component: String,
}

thread_local! {
    static WATCH: RefCell<Option<Arc<CallWatch>>> = const { RefCell::new(None) };
}

impl CallWatch {
    /// From now on the calling thread says what call it is in.
    pub fn begin(self: &Arc<Self>) {
        WATCH.set(Some(self.clone()));
    }

    /// The number of the call that the thread is in.
    pub fn call(&self) -> Option<u64> {
        let calls = self.calls();
        calls.now.as_ref().map(|_| calls.count)
    }

    /// Gives up the call of this number, which puts its plugin into quarantine; `None` where it has come back meanwhile.
    pub fn give_up(&self, number: u64) -> Option<GivenUp> {
        let mut calls = self.calls();
        if calls.count != number {
            return None;
        }
        let call = calls.now.as_mut().filter(|call| !call.given_up)?;
        call.given_up = true;
        call.health.overdue.fetch_add(1, Ordering::AcqRel);
        Some(GivenUp {
            plugin: call.health.plugin.clone(),
            component: call.component.clone(),
        })
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in progress.
pub(super) struct InCall(Option<Arc<CallWatch>>);

/// Says that the calling thread, where it is watched, enters a plugin.
pub(super) fn enter(handle: &ComponentHandle) -> InCall {
    let watch = WATCH.with_borrow(Clone::clone);
    if let Some(watch) = &watch {
        let mut calls = watch.calls();
        calls.count += 1;
        calls.now = Some(Call {
            health: handle.health().clone(),
            component: handle.name().to_owned(),
            given_up: false,
        });
    }
    InCall(watch)
}

impl Drop for InCall {
    fn drop(&mut self) {
        let Some(watch) = &self.0 else { return };
        let Some(call) = watch.calls().now.take() else { return };
        if call.given_up {
            call.health.overdue.fetch_sub(1, Ordering::AcqRel);
            tracing::warn!(
                plugin = call.health.plugin,
                component = call.component,
                "a call has come back after all"
            );
        }
    }
}
