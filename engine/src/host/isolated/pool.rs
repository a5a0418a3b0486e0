//! The processes of one plugin: one for each call at a time, as many as calls there are at once, up to a limit. Any of them makes any
//! instance that is to be called again when it needs it, from what the host keeps; so none is lost with a process.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::patience::{Limit, Patience};
use super::process::{Broken, Described, For, Process, Recipe};
use super::usage;
use crate::host::calls::{Answer, Call};
use crate::host::health::Health;
use crate::host::{PluginError, Settings};

/// Making an instance, such as loading a model, may take so many times as long as a call.
const MAKING: u32 = 3;

/// Without a call for so long, all processes but one end.
const IDLE: Duration = Duration::from_secs(60);

/// Without one for so long, that one, too.
const LAST_IDLE: Duration = Duration::from_secs(600);

/// What a process may compute on while it has nothing to do, before it is ended: threads of numerical libraries wait a while for more.
const RESTLESS: Duration = Duration::from_secs(3);

/// The processes of a plugin.
pub(super) struct Pool {
    recipe: Recipe,
    settings: Settings,
    described: Described,
    health: Arc<Health>,
    state: Mutex<State>,
    changed: Condvar,
    instances: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The one that was used last is last.
    idle: Vec<Process>,
    /// Processes that there are for calls, idle or not.
    running: usize,
    /// Instances that somebody needs: a process is told with its next call which of its own nobody does.
    live: HashSet<u64>,
}

impl Pool {
    pub(super) fn new(
        recipe: Recipe,
        settings: Settings,
        (first, described): (Process, Described),
        health: &Arc<Health>,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            recipe,
            settings,
            described,
            health: health.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
            instances: AtomicU64::new(1),
        });
        pool.state().running = 1;
        pool.give_back(first);
        pool
    }

    pub(super) fn described(&self) -> &Described {
        &self.described
    }

    /// A number that no other instance has, until it is [forgotten](Self::forget).
    pub(super) fn number(&self) -> u64 {
        let number = self.instances.fetch_add(1, Ordering::Relaxed);
        self.state().live.insert(number);
        number
    }

    /// Has an idle process make a call, or a new one. `again`: what the instance is made of, as whom, where the process does not have it.
    pub(super) fn call(
        &self,
        whom: For<'_>,
        again: Option<(&Making, For<'_>)>,
        call: Call,
        arrays: (&[&[u8]], &mut [&mut [u8]]),
    ) -> Result<Answer, PluginError> {
        let has = match whom {
            For::Instance(instance) => Some(instance),
            _ => None,
        };
        let mut process = self.take(has)?;
        let mut dropped = self.dropped_of(&process);
        let is_missing = has.is_some_and(|instance| !process.has.contains(&instance));
        let made = match again.filter(|_| is_missing) {
            Some((making, made)) => {
                let dropped = std::mem::take(&mut dropped);
                making.make(&mut process, made, self.patience_of_making(), dropped)
            }
            None => Ok(Ok(Answer::default())),
        };
        let called = made.and_then(|made| match made {
            Ok(_) => {
                let patience = match whom {
                    For::New(..) => self.patience_of_making(),
                    _ => self.patience(),
                };
                process.call(whom, call, arrays, (patience, &mut |_| true), dropped)
            }
            Err(error) => Ok(Err(error)),
        });
        self.settle(process, called)
    }

    /// A process that a fit has for itself.
    pub(super) fn start_for_fit(&self) -> Result<Process, PluginError> {
        self.start(&self.recipe)
    }

    /// A process that a runtime has for itself.
    pub(super) fn start_for_runtime(&self) -> Result<Process, PluginError> {
        let mut recipe = self.recipe.clone();
        recipe.restrictions.sandbox = self.confines_runtimes();
        self.start(&recipe)
    }

    /// Whether runtimes of it are in the sandbox.
    pub(super) fn confines_runtimes(&self) -> bool {
        self.settings.sandboxed_runtimes
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::of(self.health.deadline())
    }

    /// That of making an instance.
    pub(super) fn patience_of_making(&self) -> Patience {
        Patience::of(MAKING * self.health.deadline())
    }

    /// That of a fit, between two signs of life, and of what is asked of its result, or of a runtime: whoever asks has time.
    pub(super) fn patience_of_fit(&self) -> Patience {
        Patience {
            limit: Limit::new(Duration::from_secs(self.settings.fit_s), "fit_s"),
            total: Limit::new(Duration::from_secs(self.settings.fit_total_s), "fit_total_s"),
            cancelled: self.health.deadline(),
        }
    }

    /// What a call came to: a process that broke is ended, and the plugin's health knows of it.
    pub(super) fn outcome(
        &self,
        process: &mut Option<Process>,
        called: Result<Result<Answer, PluginError>, Broken>,
    ) -> Result<Answer, PluginError> {
        let broken = match called {
            Ok(answered) => return answered,
            Err(broken) => broken,
        };
        let plugin = self.health.plugin().to_owned();
        let error = match broken {
            Broken::Cancelled => PluginError::Cancelled {
                component: String::new(),
            },
            Broken::Ended(what) => PluginError::Ended { plugin, what },
            Broken::Overdue(Limit { time, setting }) => PluginError::Overdue {
                plugin,
                seconds: time.as_secs_f64(),
                setting,
            },
        };
        if let Some(process) = process.take() {
            if !matches!(error, PluginError::Cancelled { .. }) {
                self.health.lose();
            }
            tracing::warn!(process = process.id(), "{error}");
        }
        Err(error)
    }

    fn settle(
        &self,
        process: Process,
        called: Result<Result<Answer, PluginError>, Broken>,
    ) -> Result<Answer, PluginError> {
        let mut process = Some(process);
        let outcome = self.outcome(&mut process, called);
        match process {
            Some(process) => self.give_back(process),
            None => self.lost(),
        }
        outcome
    }

    /// One less; somebody may start another.
    fn lost(&self) {
        self.state().running -= 1;
        self.changed.notify_one();
    }

    /// Takes a process that is free, one that has the instance if there is such a one; waits where there are as many as there may be.
    fn take(&self, has: Option<u64>) -> Result<Process, PluginError> {
        let (limit, began) = (self.health.deadline(), Instant::now());
        let mut state = self.state();
        loop {
            let having = |process: &Process| has.is_none_or(|instance| process.has.contains(&instance));
            let at = state.idle.iter().rposition(having).or(state.idle.len().checked_sub(1));
            if let Some(at) = at {
                return Ok(state.idle.remove(at));
            }
            if state.running < self.settings.processes {
                state.running += 1;
                drop(state);
                return self.start(&self.recipe).inspect_err(|_| self.lost());
            }
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(PluginError::Busy {
                    plugin: self.health.plugin().to_owned(),
                    processes: self.settings.processes,
                    seconds: limit.as_secs_f64(),
                });
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn give_back(&self, mut process: Process) {
        process.idle = Instant::now();
        process.spent = None;
        self.state().idle.push(process);
        self.changed.notify_one();
    }

    fn start(&self, recipe: &Recipe) -> Result<Process, PluginError> {
        let (process, described) = Process::start(recipe).map_err(|what| self.not_started(what))?;
        let same = described.description == self.described.description && described.offers == self.described.offers;
        match same {
            true => Ok(process),
            false => Err(self.not_started("it describes itself otherwise than at first".to_owned())),
        }
    }

    /// That an instance is lost with its process.
    pub(super) fn gone(&self) -> PluginError {
        PluginError::Ended {
            plugin: self.health.plugin().to_owned(),
            what: "is not there any more, having ended in a call before".to_owned(),
        }
    }

    fn not_started(&self, what: String) -> PluginError {
        let plugin = self.health.plugin().to_owned();
        PluginError::NotStarted { plugin, what }
    }

    /// That nobody needs an instance any more.
    pub(super) fn forget(&self, instance: u64) {
        self.state().live.remove(&instance);
    }

    /// What a process has and nobody needs.
    fn dropped_of(&self, process: &Process) -> Vec<u64> {
        process.has.difference(&self.state().live).copied().collect()
    }

    /// Ends processes that were not needed for a while, and those that go on computing though nobody asked.
    pub(super) fn tend(&self) {
        let mut ended = Vec::new();
        let mut state = self.state();
        let (mut kept, idle) = (Vec::new(), std::mem::take(&mut state.idle));
        let newest = idle.len().saturating_sub(1);
        for (at, mut process) in idle.into_iter().enumerate() {
            // What it had spent is asked here, at the first look, and not on the way of each call.
            let now = usage::processor_time(process.id());
            let before = process.spent.or(now);
            process.spent = before;
            let restless = now
                .zip(before)
                .is_some_and(|(now, before)| now.saturating_sub(before) > RESTLESS);
            if restless {
                tracing::warn!(
                    plugin = self.health.plugin(),
                    "a process of a plugin computes though its call is over: it is ended"
                );
            }
            let excess = process.excess();
            if let Some(excess) = &excess {
                tracing::warn!(
                    plugin = self.health.plugin(),
                    "a process of a plugin {excess}: it is ended"
                );
            }
            let unused = process.idle.elapsed();
            match restless || excess.is_some() || unused > LAST_IDLE || (at < newest && unused > IDLE) {
                true => ended.push(process),
                false => kept.push(process),
            }
        }
        kept.iter_mut().for_each(Process::tend);
        state.idle = kept;
        state.running -= ended.len();
        drop(state);
        // Killing waits, and others are not to.
        drop(ended);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an instance that is made again is made of.
pub(super) struct Making {
    pub call: Call,
    pub inputs: Vec<Vec<u8>>,
}

impl Making {
    /// Makes it in a process.
    pub(super) fn make(
        &self,
        process: &mut Process,
        whom: For<'_>,
        patience: Patience,
        dropped: Vec<u64>,
    ) -> Result<Result<Answer, PluginError>, Broken> {
        let inputs: Vec<&[u8]> = self.inputs.iter().map(Vec::as_slice).collect();
        let arrays = (&inputs[..], &mut [][..]);
        process.call(whom, self.call.clone(), arrays, (patience, &mut |_| true), dropped)
    }
}
