//! Plugins in processes of their own: one that crashes, ends its process or hangs costs the call that it did so in, and nothing else.

mod arena;
mod child;
mod command;
mod component;
mod message;
mod patience;
mod pool;
mod process;
mod python;
mod restrictions;
mod spawner;
mod usage;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::thread;
use std::time::Duration;

pub(super) use child::child;
pub(super) use process::IMPORTING;

use self::component::Isolated;
use self::message::Restrictions;
use self::pool::Pool;
use self::process::{Process, Recipe};
use super::component::{Opened, Origin};
use super::file::Opening;
use super::health::Health;
use super::{ComponentHandle, PluginError, Settings};

/// Between two looks at processes that have nothing to do.
const TENDED: Duration = Duration::from_secs(1);

/// Starts the first process of a plugin, in which it says what it is.
pub(super) fn open(file: &Opening, program: &Path, settings: &Settings) -> Result<Opened, PluginError> {
    let recipe = Recipe {
        program: program.to_owned(),
        plugin: file.clone(),
        python: python::interpreter(file, settings),
        restrictions: Restrictions {
            sandbox: settings.sandbox,
            memory: settings.memory_mib << 20,
            processors: processors(settings.cores),
            read: settings.read.clone(),
        },
        arena: (settings.shared_mib as usize) << 20,
        state: (settings.state_mib as usize) << 20,
    };
    let (first, described) = Process::start(&recipe).map_err(PluginError::NotLoadable)?;
    let description = described.description.clone();
    if description.components.len() != described.offers.len() {
        return Err(PluginError::Rejected(
            "it does not say what each of its components offers".into(),
        ));
    }
    let deadline = settings.deadline_s.map(Duration::from_secs_f64);
    let health = Health::new(&description.name, deadline);
    let origin = Arc::new(Origin {
        plugin: description.name.clone(),
        plugin_version: description.version.clone(),
        sha256: file.sha256.clone(),
        health: health.clone(),
        is_isolated: true,
    });
    let pool = Pool::new(recipe, settings.clone(), (first, described), &health);
    tended(&pool);
    let components = pool.described().description.components.iter();
    let components = components.zip(&pool.described().offers);
    let components = components.map(|(one, offers)| {
        let reached = Isolated::new(&pool, one);
        ComponentHandle::new(one.clone(), offers.clone(), &origin, Arc::new(reached))
    });
    let restricted = pool.described().restricted.clone();
    Opened::new(description, components.collect(), restricted)
}

/// The processors that a plugin's processes have: each plugin others, as far as there are as many.
fn processors(cores: usize) -> Vec<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut allowed = Vec::new();
    if let Ok(set) = rustix::thread::sched_getaffinity(None) {
        allowed.extend((0..rustix::thread::CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)));
    }
    if cores == 0 || cores >= allowed.len() {
        return Vec::new();
    }
    let first = NEXT.fetch_add(cores, Ordering::Relaxed);
    (first..first + cores).map(|at| allowed[at % allowed.len()]).collect()
}

/// Has a thread look after a pool for as long as it is there.
fn tended(pool: &Arc<Pool>) {
    static POOLS: Mutex<Vec<Weak<Pool>>> = Mutex::new(Vec::new());
    static THREAD: Once = Once::new();
    let pools = || POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools().push(Arc::downgrade(pool));
    THREAD.call_once(|| {
        let started = thread::Builder::new().name("plugin care".into()).spawn(move || {
            loop {
                thread::sleep(TENDED);
                pools().retain(|pool| pool.strong_count() > 0);
                let now: Vec<Arc<Pool>> = pools().iter().filter_map(Weak::upgrade).collect();
                now.iter().for_each(|pool| pool.tend());
            }
        });
        if let Err(error) = started {
            tracing::error!("no thread looks after the processes of plugins: {error}");
        }
    });
}
