//! The loader: a crew of one thread that loads versions and frees them, so that requests do neither. A version whose plugin
//! does not come back fails to load, and the next one is loaded by another thread.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::counts::{Counts, ModelLabels};
use super::live::{Aftermath, LiveTable};
use super::table::Key;
use super::{ServedModel, ServingError};
use crate::compute::{Crew, Lost, Unit};

/// What whoever asked for a version gets.
pub(super) type Answer = Result<Arc<ServedModel>, ServingError>;

/// A load takes longer than a prediction: so many times the deadline of calls into plugins.
const PATIENCE: u32 = 3;

/// Time between two looks at whether the last request has let go of a retired model.
const RETIRE_INTERVAL: Duration = Duration::from_millis(200);

/// Loads and frees.
pub(super) struct Loader {
    crew: Arc<Crew>,
    shared: Arc<Shared>,
}

struct Shared {
    live: Arc<LiveTable>,
    counts: Counts,
    /// Who waits for which version: it is loaded once, however many ask.
    waiting: Mutex<HashMap<Key, Vec<oneshot::Sender<Answer>>>>,
    retired: Mutex<mpsc::Sender<Arc<ServedModel>>>,
}

impl Loader {
    /// Starts the threads.
    pub(super) fn start(live: Arc<LiveTable>, counts: Counts, deadline: Option<Duration>) -> std::io::Result<Self> {
        let crew = Arc::new(Crew::start("loader", 1, deadline.map(|d| d.saturating_mul(PATIENCE)))?);
        let (retired, models) = mpsc::channel();
        let freeing = crew.clone();
        std::thread::Builder::new()
            .name("retired".into())
            .spawn(move || retire(&models, &freeing))?;
        Ok(Self {
            crew,
            shared: Arc::new(Shared {
                live,
                counts,
                waiting: Mutex::default(),
                retired: Mutex::new(retired),
            }),
        })
    }

    /// Asks for a version.
    pub(super) fn want(&self, key: Key) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.shared.waiting();
        let asked = waiting.entry(key.clone()).or_default();
        asked.push(answer);
        if asked.len() == 1 {
            drop(waiting);
            let shared = self.shared.clone();
            self.crew.submit(self.crew.number(), 0, Arc::new(Load { key, shared }));
        }
        receiver
    }

    /// Frees what a change left behind, once its last request is done, and loads what it calls for.
    pub(super) fn settle(&self, Aftermath { retired, missing }: Aftermath) {
        self.shared.retire(retired);
        for key in missing {
            drop(self.want(key));
        }
    }

    /// Has other work done on the thread: a model tried that is not in the registry yet.
    pub(super) fn run_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
        self.crew.run_blocking(work)
    }

    /// From now on, once it has done what it was asked for so far, the thread yields to those that answer requests.
    pub(super) fn yield_to_requests(&self) {
        self.crew.yield_to_others();
    }

    /// Loads nothing more; whoever waits is told.
    pub(super) fn stop(&self) {
        self.crew.stop();
        self.crew.abandon();
    }
}

/// A version to load.
struct Load {
    key: Key,
    shared: Arc<Shared>,
}

impl Unit for Load {
    fn run(&self) {
        let loaded = self.shared.live.load(&self.key).map(|(model, aftermath)| {
            self.shared.retire(aftermath.retired);
            model
        });
        self.shared.answer(&self.key, &loaded);
    }

    fn fail(&self, lost: Lost) {
        self.shared.answer(&self.key, &Err(lost.into()));
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, Vec<oneshot::Sender<Answer>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retire(&self, models: Vec<Arc<ServedModel>>) {
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        for model in models {
            // The thread ends with the loader alone.
            let _ = retired.send(model);
        }
    }

    fn answer(&self, key: &Key, answer: &Answer) {
        let (hardware, version) = key;
        let Some(asked) = self.waiting().remove(key) else {
            // Given up before.
            return;
        };
        if let Err(error) = answer {
            tracing::warn!(%hardware, version, "cannot load: {error}");
            let labels = ModelLabels {
                hardware: hardware.to_string(),
                version: *version,
            };
            self.counts.load_failures.get_or_create(&labels).inc();
        }
        for waiter in asked {
            // A request that was given up waits no more.
            let _ = waiter.send(answer.clone());
        }
    }
}

/// Has models freed on the loader's thread once no request holds them any more: the last to hold one frees it, and held
/// here that is never a request.
fn retire(models: &mpsc::Receiver<Arc<ServedModel>>, crew: &Crew) {
    let mut retired: Vec<Arc<ServedModel>> = Vec::new();
    loop {
        let next = if retired.is_empty() {
            models.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            models.recv_timeout(RETIRE_INTERVAL)
        };
        match next {
            Ok(model) => retired.push(model),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let free = |model: &mut Arc<ServedModel>| Arc::strong_count(model) == 1;
        for model in retired.extract_if(.., free) {
            crew.submit(crew.number(), 0, Arc::new(Free(Mutex::new(Some(model)))));
        }
    }
}

/// A model to free.
struct Free(Mutex<Option<Arc<ServedModel>>>);

impl Unit for Free {
    fn run(&self) {
        let model = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(model);
    }

    fn fail(&self, _: Lost) {}
}
