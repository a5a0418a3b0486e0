//! The loader: one thread of its own that loads versions and frees them, so that requests do neither.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::counts::{Counts, ModelLabels};
use super::live::{Aftermath, LiveTable};
use super::table::Key;
use super::{ServedModel, ServingError, priority};

/// What whoever asked for a version gets.
pub(super) type Answer = Result<Arc<ServedModel>, ServingError>;

enum Job {
    Load(Key),
    Retire(Vec<Arc<ServedModel>>),
    LowerPriority,
    Stop,
}

/// Time between two looks at whether the last request has let go of a retired model.
const RETIRE_INTERVAL: Duration = Duration::from_millis(200);

/// Versions that may wait to be loaded for requests. A request that goes away leaves its version behind until its turn comes.
const WAITING_LIMIT: usize = 64;

/// Who waits for which version: it is loaded once, however many ask.
type Waiting = Mutex<HashMap<Key, Waiters>>;

/// Who waits for a version.
#[derive(Default)]
struct Waiters {
    /// Whether it is to be loaded also where no request waits any more.
    led_to: bool,
    answers: Vec<oneshot::Sender<Answer>>,
}

/// A handle of the thread.
pub(super) struct Loader {
    /// Bounded by what waits, and by the changes of aliases that called for it.
    queue: mpsc::Sender<Job>,
    waiting: Arc<Waiting>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
struct Thread {
    live: Arc<LiveTable>,
    jobs: mpsc::Receiver<Job>,
    waiting: Arc<Waiting>,
    counts: Counts,
    /// The last to hold a model frees it: held here, that is never a request.
    retired: Vec<Arc<ServedModel>>,
}

impl Loader {
    /// Starts the thread.
    pub(super) fn start(live: Arc<LiveTable>, counts: Counts) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let waiting = Arc::<Waiting>::default();
        let mut thread = Thread {
            live,
            jobs,
            waiting: waiting.clone(),
            counts,
            retired: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("loader".into())
            .spawn(move || while thread.step() {})?;
        Ok(Self {
            queue,
            waiting,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Asks for a version.
    pub(super) fn want(&self, key: Key) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        if !waiting.contains_key(&key) && waiting.len() >= WAITING_LIMIT {
            let (hardware, version) = key;
            let _ = answer.send(Err(ServingError::TooManyLoads { hardware, version }));
        } else if let Some(waiters) = self.enqueue(&mut waiting, key) {
            waiters.answers.push(answer);
        }
        receiver
    }

    /// Has a version loaded that something leads to; nobody waits for it.
    pub(super) fn need(&self, key: Key) {
        if let Some(waiters) = self.enqueue(&mut self.waiting(), key) {
            waiters.led_to = true;
        }
    }

    /// Who waits for a version, which has its place in the queue then. None where the thread has stopped: whoever waits sees
    /// that by the channel, which closes.
    fn enqueue<'a>(&self, waiting: &'a mut HashMap<Key, Waiters>, key: Key) -> Option<&'a mut Waiters> {
        if !waiting.contains_key(&key) {
            self.queue.send(Job::Load(key.clone())).ok()?;
        }
        Some(waiting.entry(key).or_default())
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, Waiters>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees what a change left behind, once its last request is done, and loads what it calls for.
    pub(super) fn settle(&self, Aftermath { retired, missing }: Aftermath) {
        if !retired.is_empty() {
            let _ = self.queue.send(Job::Retire(retired));
        }
        for key in missing {
            self.need(key);
        }
    }

    /// From now on, once it has done what it was asked for so far, the thread yields to those that answer requests.
    pub(super) fn lower_priority(&self) {
        let _ = self.queue.send(Job::LowerPriority);
    }

    /// Ends the thread once it has done what it was asked for so far.
    pub(super) fn stop(&self) {
        let _ = self.queue.send(Job::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        self.waiting().clear();
    }
}

impl Thread {
    /// Does one job; false once there is no more to do.
    fn step(&mut self) -> bool {
        let job = if self.retired.is_empty() {
            self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            self.jobs.recv_timeout(RETIRE_INTERVAL)
        };
        match job {
            Ok(Job::Load(key)) => self.load(&key),
            Ok(Job::Retire(models)) => self.retired.extend(models),
            Ok(Job::LowerPriority) => priority::lower(),
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {}
        }
        self.retired.retain(|model| Arc::strong_count(model) > 1);
        true
    }

    fn load(&mut self, key: &Key) {
        if self.is_given_up(key) {
            return;
        }
        let loaded = catch_unwind(AssertUnwindSafe(|| self.live.load(key)));
        let answer = loaded
            .unwrap_or_else(|_| Err(ServingError::cut_off(key)))
            .map(|loaded| {
                let (model, aftermath) = loaded;
                self.retired.extend(aftermath.retired);
                model
            });
        let (hardware, version) = key;
        // That there is no such version is told to whoever made it up; metrics and log know versions that exist.
        if let Err(error) = answer.as_ref()
            && !error.is_no_such_version()
        {
            tracing::warn!(%hardware, version, "cannot load: {error}");
            let labels = ModelLabels {
                hardware: hardware.to_string(),
                version: *version,
            };
            self.counts.load_failures.get_or_create(&labels).inc();
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for waiter in waiting.remove(key).unwrap_or_default().answers {
            // A request that was given up waits no more.
            let _ = waiter.send(answer.clone());
        }
    }

    /// Whether nothing leads to a version and every request that asked for it has gone; it is not waited for then.
    fn is_given_up(&self, key: &Key) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = |waiters: &Waiters| !waiters.led_to && waiters.answers.iter().all(oneshot::Sender::is_closed);
        let given_up = waiting.get(key).is_none_or(given_up);
        if given_up {
            waiting.remove(key);
        }
        given_up
    }
}
