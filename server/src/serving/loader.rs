//! The loader: one thread of its own that loads versions and frees them, so that requests do neither.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Who waits for which version: it is loaded once, however many ask.
type Waiting = Mutex<HashMap<Key, Vec<oneshot::Sender<Answer>>>>;

/// A handle of the thread.
pub(super) struct Loader {
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
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !waiting.contains_key(&key);
        // A thread that has stopped takes no job: the channel closes, which whoever waits sees.
        if !first || self.queue.send(Job::Load(key.clone())).is_ok() {
            waiting.entry(key).or_default().push(answer);
        }
        receiver
    }

    /// Frees what a change left behind, once its last request is done, and loads what it calls for.
    pub(super) fn settle(&self, Aftermath { retired, missing }: Aftermath) {
        if !retired.is_empty() {
            let _ = self.queue.send(Job::Retire(retired));
        }
        for key in missing {
            drop(self.want(key));
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
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
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
        let loaded = catch_unwind(AssertUnwindSafe(|| self.live.load(key)));
        let answer = loaded
            .unwrap_or_else(|_| Err(ServingError::cut_off(key)))
            .map(|loaded| {
                let (model, aftermath) = loaded;
                self.retired.extend(aftermath.retired);
                model
            });
        let (hardware, version) = key;
        if let Err(error) = &answer {
            tracing::warn!(%hardware, version, "cannot load: {error}");
            let labels = ModelLabels {
                hardware: hardware.to_string(),
                version: *version,
            };
            self.counts.load_failures.get_or_create(&labels).inc();
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for waiter in waiting.remove(key).unwrap_or_default() {
            // A request that was given up waits no more.
            let _ = waiter.send(answer.clone());
        }
    }
}
