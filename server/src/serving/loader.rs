//! The loader: a crew of one thread that loads versions and frees them, so that requests do neither. A version whose plugin
//! does not come back fails to load, and the next one is loaded by another thread.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lglp_engine::predictor::ServedModel;
use tokio::sync::oneshot;

use super::ServingError;
use super::counts::{Counts, ModelLabels};
use super::live::{LiveTable, TableChange};
use super::table::Key;
use crate::compute::{Account, Crew, Lost, Unit};

/// What whoever asked for a version gets.
pub(super) type Answer = Result<Arc<ServedModel>, ServingError>;

/// A load takes longer than a prediction: so many times the deadline of calls into plugins.
const PATIENCE: u32 = 3;

/// Time between two looks at whether the last request has let go of a retired model.
const RETIRE_INTERVAL: Duration = Duration::from_millis(200);

/// Versions that may wait to be loaded for requests. A request that goes away leaves its version behind until its turn comes.
const WAITING_LIMIT: usize = 64;

/// Who waits for which version: it is loaded once, however many ask.
type Waiting = HashMap<Key, Waiters>;

/// Who waits for a version.
#[derive(Default)]
struct Waiters {
    /// Whether it is to be loaded also where no request waits any more.
    led_to: bool,
    answers: Vec<oneshot::Sender<Answer>>,
}

/// Loads and frees.
pub(super) struct Loader {
    crew: Arc<Crew>,
    shared: Arc<Shared>,
}

struct Shared {
    live: Arc<LiveTable>,
    counts: Counts,
    waiting: Mutex<Waiting>,
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
        if let Some(error) = self.shared.live.refused.lately(&key) {
            let _ = answer.send(Err(error.into()));
            return receiver;
        }
        let waiting = self.shared.waiting();
        if !waiting.contains_key(&key) && waiting.len() >= WAITING_LIMIT {
            let (hardware, version) = key;
            let _ = answer.send(Err(ServingError::TooManyLoads { hardware, version }));
        } else {
            self.enqueue(waiting, key, |waiters| waiters.answers.push(answer));
        }
        receiver
    }

    /// Has a version loaded that something leads to; nobody waits for it.
    pub(super) fn need(&self, key: Key) {
        self.enqueue(self.shared.waiting(), key, |waiters| waiters.led_to = true);
    }

    /// Joins those who wait for a version, which has its place in the queue then.
    fn enqueue(&self, mut waiting: MutexGuard<'_, Waiting>, key: Key, join: impl FnOnce(&mut Waiters)) {
        let is_first = !waiting.contains_key(&key);
        join(waiting.entry(key.clone()).or_default());
        // A crew that has stopped answers at once, and asks who waits.
        drop(waiting);
        if is_first {
            let shared = self.shared.clone();
            // What is slow to load holds up those of its own hardware target.
            let place = self.crew.place(key.0.as_str().into());
            self.crew.submit(place, Arc::new(Load { key, shared }));
        }
    }

    /// Frees what a change left behind, once its last request is done, and loads what it calls for.
    pub(super) fn apply(&self, TableChange { retired, missing }: TableChange) {
        self.shared.retire(retired);
        for key in missing {
            self.need(key);
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
        if self.shared.is_given_up(&self.key) {
            return;
        }
        let loaded = self.shared.live.load(&self.key).map(|(model, change)| {
            self.shared.retire(change.retired);
            model
        });
        self.shared.answer(&self.key, &loaded);
    }

    fn fail(&self, lost: Lost) {
        self.shared.answer(&self.key, &Err(lost.into()));
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
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
        // That there is no such version is told to whoever made it up; metrics and log know versions that exist.
        if let Err(error) = answer
            && !error.is_no_such_version()
        {
            tracing::warn!(%hardware, version, "cannot load: {error}");
            let labels = ModelLabels {
                hardware: hardware.to_string(),
                version: *version,
            };
            self.counts.load_failures.get_or_create(&labels).inc();
        }
        for waiter in asked.answers {
            // A request that was given up waits no more.
            let _ = waiter.send(answer.clone());
        }
    }

    /// Whether nothing leads to a version and every request that asked for it has gone; it is not waited for then.
    fn is_given_up(&self, key: &Key) -> bool {
        let mut waiting = self.waiting();
        let given_up = |waiters: &Waiters| !waiters.led_to && waiters.answers.iter().all(oneshot::Sender::is_closed);
        let given_up = waiting.get(key).is_none_or(given_up);
        if given_up {
            waiting.remove(key);
        }
        given_up
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
            crew.submit(crew.place(Account::default()), Arc::new(Free(Mutex::new(Some(model)))));
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
