//! A thread for what may hang.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

type Work = Box<dyn FnOnce() + Send>;

/// A thread that does one piece of work after the other for callers that wait for it no longer than they want to. It ends
/// once this is dropped, after the work that it is at.
#[derive(Debug)]
pub(crate) struct Committer(Sender<Work>);

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The time is over, and the work is not.
    Late,
    /// The work panicked.
    Panicked,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, where it has no more threads.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, work) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new().name("commits".into());
        thread.spawn(move || work.into_iter().for_each(|work| work()))?;
        Ok(Self(sender))
    }

    /// Does something, and waits for it. What is late goes on in the background.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Missing> {
        let (sender, result) = mpsc::sync_channel(1);
        // Nobody may listen any more.
        let work = Box::new(move || drop(sender.send(work())));
        self.0.send(work).map_err(|_| Missing::Panicked)?;
        result.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => Missing::Late,
            RecvTimeoutError::Disconnected => Missing::Panicked,
        })
    }
}
