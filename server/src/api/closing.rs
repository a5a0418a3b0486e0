//! Stopping: at a signal what waits is answered, and the process ends within seconds, whatever plugins and disks do.

use std::time::Duration;

use actix_web::web;

use super::State;
use crate::log;
use crate::webhooks::Dispatcher;

/// Seconds in which requests in flight are answered; those that are not are cut off then.
pub(super) const GRACE_S: u64 = 2;

/// After this time requests whose plugin has not come back are answered without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// When the process ends at the latest, after the signal.
const LIMIT: Duration = Duration::from_millis(4500);

/// How the server ends.
#[derive(Clone)]
pub(super) struct Closing(pub web::Data<State>);

impl Closing {
    /// From now on nothing new is begun, and what waits is told so. The clock starts.
    pub(super) fn begin(&self) {
        // First of all, and apart: what follows may wait for something that hangs.
        std::thread::spawn(|| {
            std::thread::sleep(LIMIT);
            tracing::warn!("something did not end in time; the process does");
            exit(0)
        });
        let state = self.0.clone();
        std::thread::spawn(move || {
            state.desk.stop();
            state.jobs.executor.stop();
            std::thread::sleep(PATIENCE);
            state.desk.abandon();
            state.serving.stop();
        });
    }

    /// Writes down what is to be kept, and ends the process.
    pub(super) fn end(self, webhooks: Dispatcher) -> ! {
        drop(webhooks);
        self.0.serving.stop();
        self.0.usage.flush();
        self.0.serving.flush();
        self.0.jobs.executor.join();
        exit(0)
    }

    /// Ends the process after a failure.
    pub(super) fn fail(self, error: &anyhow::Error) -> ! {
        tracing::error!("{error:#}");
        self.0.usage.flush();
        exit(1)
    }
}

/// Ends the process at once. No destructor runs, neither of this program nor of the libraries that plugins brought: a thread
/// may be inside of one of them, and would find its ground taken away. What was acknowledged is on disk already.
fn exit(status: i32) -> ! {
    log::end();
    // SAFETY: it returns to nobody, and asks for nothing that another thread may hold.
    unsafe { libc::_exit(status) }
}
