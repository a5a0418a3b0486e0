//! Quarantine: what a call does not come back from is asked nothing more, until it has come back.
//!
//! A thread inside of a plugin cannot be ended from outside. What can be done is to stop sending others after it. A plugin is
//! called on behalf of versions ([`Tenant`]), and what hangs is laid to the version's charge first: it may be its state, while
//! the plugin serves other versions well. Only where several of them hang is it the plugin. Threads that must not be lost
//! unseen are watched ([`CallWatch`]): each says what call it is in, and whoever watches them decides when that takes too
//! long.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::PluginError;
use super::breaker::Breaker;

/// How long a call may take in a process of the plugin's own, unless told otherwise, ms.
const DEADLINE_MS: u64 = 10_000;

/// Versions that hang in a plugin before it is the plugin's fault; fewer where there are fewer cores, since each may keep one.
const SEVERAL: usize = 3;

/// On whose behalf plugins are called: a version of a hardware target.
#[derive(Debug)]
pub struct Tenant {
    name: String,
    /// What its calls did to processes of plugins.
    failures: Breaker,
    /// Calls that were given up and have not come back.
    overdue: AtomicUsize,
}

impl Tenant {
    /// One of a name that messages call it by, such as "version 2 of `xeon-1t`".
    pub fn new(name: String) -> Arc<Self> {
        Arc::new(Self {
            name,
            failures: Breaker::default(),
            overdue: AtomicUsize::new(0),
        })
    }

    /// What messages call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why plugins are not called on its behalf, where that is so.
    pub fn quarantine(&self) -> Option<String> {
        reason(self.overdue.load(Ordering::Acquire)).or_else(|| self.failures.quarantine())
    }

    /// Refuses calls on behalf of a version that hangs.
    ///
    /// # Errors
    /// `TenantQuarantined`.
    pub fn admit(&self) -> Result<(), PluginError> {
        self.quarantine().map_or(Ok(()), |reason| {
            let tenant = self.name.clone();
            Err(PluginError::TenantQuarantined { tenant, reason })
        })
    }
}

/// A version of which a call failed.
#[derive(Debug)]
struct Failing {
    tenant: Weak<Tenant>,
    call: String,
}

/// Whether a plugin answers.
#[derive(Debug)]
pub struct Health {
    plugin: String,
    /// How long a call may take in a process of the plugin's own, ms.
    deadline_ms: AtomicU64,
    deadline_of_its_own: Option<Duration>,
    /// What calls on nobody's behalf did to processes of the plugin, and starts of such.
    failures: Breaker,
    /// Processes that were lost in calls.
    lost: AtomicU64,
    /// Versions whose calls did so, lately.
    failing: Mutex<Vec<Failing>>,
    /// On whose behalf each call was made that was given up and has not come back.
    overdue: Mutex<Vec<Option<Arc<Tenant>>>>,
    /// As many versions that hang in it put it into quarantine.
    several: usize,
}

impl Health {
    /// Of a plugin of this name; `deadline` is what its calls have in a process of its own, where that is not what all have.
    pub(super) fn new(plugin: &str, deadline: Option<Duration>) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Arc::new(Self {
            plugin: plugin.to_owned(),
            deadline_ms: AtomicU64::new(DEADLINE_MS),
            deadline_of_its_own: deadline,
            failures: Breaker::default(),
            lost: AtomicU64::new(0),
            failing: Mutex::default(),
            overdue: Mutex::default(),
            several: cores.min(SEVERAL),
        })
    }

    /// Why it is asked nothing, where that is so.
    pub fn quarantine(&self) -> Option<String> {
        let overdue = self.overdue();
        let mut versions: Vec<*const Tenant> = overdue.iter().flatten().map(Arc::as_ptr).collect();
        versions.sort_unstable();
        versions.dedup();
        // A call on nobody's behalf is the plugin's own.
        let is_its_own = overdue.iter().any(Option::is_none);
        let hanging = (is_its_own || versions.len() >= self.several)
            .then(|| reason(overdue.len()))
            .flatten();
        drop(overdue);
        hanging
            .or_else(|| self.failures.quarantine())
            .or_else(|| self.all_fail())
    }

    /// Why it is left alone, where it is several versions that fail.
    fn all_fail(&self) -> Option<String> {
        let failing = self.failing();
        let failing = failing.iter().filter_map(|failing| failing.tenant.upgrade());
        let reasons: Vec<String> = failing.filter_map(|tenant| tenant.failures.quarantine()).collect();
        match reasons.len() >= SEVERAL {
            true => reasons.into_iter().next(),
            false => None,
        }
    }

    /// That a process was lost in a call.
    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Processes that were lost in calls.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The plugin's name.
    pub(super) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// How long a call may take in a process of the plugin's own.
    pub(super) fn deadline(&self) -> Duration {
        let common = || Duration::from_millis(self.deadline_ms.load(Ordering::Relaxed));
        self.deadline_of_its_own.unwrap_or_else(common)
    }

    /// Sets how long that is, unless its own setting says it.
    pub(super) fn limit(&self, deadline: Duration) {
        if self.deadline_of_its_own.is_none() {
            let deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            self.deadline_ms.store(deadline.max(1), Ordering::Relaxed);
        }
    }

    /// What came of a call, made on somebody's behalf, in a process of the plugin's own.
    pub(super) fn learn<T>(
        &self,
        tenant: Option<&Arc<Tenant>>,
        call: impl Fn() -> String,
        outcome: &Result<T, PluginError>,
    ) {
        let (what, least) = match outcome {
            Err(PluginError::Ended { what, .. }) => (format!("it {what}"), Duration::ZERO),
            Err(PluginError::NotStarted { what, .. }) => {
                return self.failures.failed(call(), what.clone(), Duration::ZERO);
            }
            Err(PluginError::Overdue { seconds, .. }) => {
                (format!("it did not come back within {seconds} s"), self.deadline())
            }
            Err(PluginError::Busy { .. }) => return,
            _ => {
                self.failures.worked(&call);
                let Some(tenant) = tenant else { return };
                tenant.failures.worked(&call);
                let mut failing = self.failing();
                if !failing.is_empty() {
                    let call = call();
                    failing.retain(|one| one.tenant.as_ptr() != Arc::as_ptr(tenant) || one.call != call);
                }
                return;
            }
        };
        let Some(tenant) = tenant else {
            return self.failures.failed(call(), what, least);
        };
        tenant.failures.failed(call(), what, least);
        let mut failing = self.failing();
        failing.retain(|one| one.tenant.strong_count() > 0 && one.tenant.as_ptr() != Arc::as_ptr(tenant));
        failing.push(Failing {
            tenant: Arc::downgrade(tenant),
            call: call(),
        });
    }

    fn failing(&self) -> MutexGuard<'_, Vec<Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn overdue(&self) -> MutexGuard<'_, Vec<Option<Arc<Tenant>>>> {
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reason(calls: usize) -> Option<String> {
    (calls > 0).then(|| {
        format!(
            "in quarantine: {calls} of its calls took longer than the plugin deadline and have not come back; it is used again \
             once they have, or after a restart"
        )
    })
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
    tenant: Option<Arc<Tenant>>,
    component: String,
    given_up: bool,
}

impl Call {
    fn give_up(&mut self) {
        self.given_up = true;
        if let Some(tenant) = &self.tenant {
            tenant.overdue.fetch_add(1, Ordering::AcqRel);
        }
        self.health.overdue().push(self.tenant.clone());
    }

    /// Takes back that it was given up.
    fn come_back(&self) {
        if let Some(tenant) = &self.tenant {
            tenant.overdue.fetch_sub(1, Ordering::AcqRel);
        }
        let pointer = |tenant: &Option<Arc<Tenant>>| tenant.as_ref().map(Arc::as_ptr);
        let mut overdue = self.health.overdue();
        let own = overdue.iter().position(|other| pointer(other) == pointer(&self.tenant));
        if let Some(own) = own {
            overdue.swap_remove(own);
        }
    }
}

/// A call that was given up.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// The name of the plugin that was called.
    pub plugin: String,
    /// The name of the component that was called.
    pub component: String,
    /// What is in quarantine for it: the version, or the plugin.
    pub quarantined: String,
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

    /// Gives up the call of this number, which puts its version into quarantine, or its plugin; `None` where it has come back meanwhile.
    pub fn give_up(&self, number: u64) -> Option<GivenUp> {
        let mut calls = self.calls();
        if calls.count != number {
            return None;
        }
        let call = calls.now.as_mut().filter(|call| !call.given_up)?;
        call.give_up();
        let version = call.tenant.as_ref().filter(|_| call.health.quarantine().is_none());
        Some(GivenUp {
            plugin: call.health.plugin.clone(),
            component: call.component.clone(),
            quarantined: version.map_or_else(|| "the plugin".to_owned(), |version| version.name.clone()),
        })
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in progress.
pub(super) struct InCall(Option<Arc<CallWatch>>);

/// Says that the calling thread, where it is watched, enters a plugin.
pub(super) fn enter(health: &Arc<Health>, tenant: Option<&Arc<Tenant>>, component: &str) -> InCall {
    let watch = WATCH.with_borrow(Clone::clone);
    if let Some(watch) = &watch {
        let mut calls = watch.calls();
        calls.count += 1;
        calls.now = Some(Call {
            health: health.clone(),
            tenant: tenant.cloned(),
            component: component.to_owned(),
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
            call.come_back();
            tracing::warn!(
                plugin = call.health.plugin,
                component = call.component,
                "a call has come back after all"
            );
        }
    }
}
