//! The connection to the server, as every thread of a worker has it: it notices when the server goes and comes back, and waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lglp_client::{Backoff, EventCount, Failure, WorkerApi};

use super::drain::Drain;
use super::event::Event;

/// Between attempts to reach a server.
pub(crate) const WAITS: Backoff = Backoff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(15),
};

/// Who hears what happens.
pub(crate) type EventSink = Arc<dyn Fn(&Event) + Send + Sync>;

/// The server, and what is to be known while it is talked to.
pub(crate) struct ServerConnection {
    pub api: WorkerApi,
    pub drain: Arc<Drain>,
    /// Rung whenever somebody who waits may have something to do.
    pub events: Arc<EventCount>,
    pub report: EventSink,
    lost: Mutex<Option<Instant>>,
}

impl ServerConnection {
    pub(crate) fn new(api: WorkerApi, drain: Arc<Drain>, events: Arc<EventCount>, report: EventSink) -> Self {
        Self {
            api,
            drain,
            events,
            report,
            lost: Mutex::default(),
        }
    }

    /// Calls once; says so where the server went away or is back.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&WorkerApi) -> Result<T, Failure>) -> Result<T, Failure> {
        let answer = call(&self.api);
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Err(Failure::Lost(reason)) => {
                if lost.is_none() {
                    *lost = Some(Instant::now());
                    let reason = reason.clone();
                    (self.report)(&Event::ServerLost { reason });
                }
            }
            Ok(_) | Err(Failure::Refused { .. }) => {
                if let Some(since) = lost.take() {
                    let after_s = since.elapsed().as_secs_f64();
                    (self.report)(&Event::ServerBack { after_s });
                }
            }
        }
        answer
    }

    /// Calls until there is an answer, as long as `goes_on`. A worker that drains gives up after a while.
    ///
    /// # Errors
    /// `Lost` where it gave up; what the server refuses.
    pub(crate) fn ask<T>(
        &self,
        goes_on: impl Fn() -> bool,
        call: impl Fn(&WorkerApi) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut failures = 0;
        loop {
            let answer = self.call(&call);
            let Err(Failure::Lost(_)) = answer else { return answer };
            if !goes_on() || self.drain.is_over() {
                return answer;
            }
            failures += 1;
            self.pause_unless(WAITS.delay(failures, &mut rand::rng()), || {
                !goes_on() || self.drain.is_over()
            });
        }
    }

    /// Waits; less long where the worker is to drain.
    pub(crate) fn pause(&self, time: Duration) {
        self.pause_unless(time, || self.drain.is_asked());
    }

    /// Waits until there have been more than `seen` events, or a moment, for what counts as none.
    pub(crate) fn wait(&self, seen: u64) {
        self.events.wait(seen, Some(Instant::now() + LOOK));
    }

    /// Waits until `over` holds, but no longer than that. It is asked at each event, and now and then.
    pub(crate) fn pause_unless(&self, time: Duration, over: impl Fn() -> bool) {
        let until = Instant::now() + time;
        loop {
            let seen = self.events.count();
            if over() || Instant::now() >= until {
                return;
            }
            self.events.wait(seen, Some(until.min(Instant::now() + LOOK)));
        }
    }
}

/// Between two looks at what counts as no event.
const LOOK: Duration = Duration::from_millis(500);
