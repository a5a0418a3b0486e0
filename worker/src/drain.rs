//! Ending in peace: the first SIGTERM or SIGINT asks for it, the second ends the process at once.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use lglp_client::EventCount;

/// How long a worker that drains tries to reach a server that does not answer.
const GRACE: Duration = Duration::from_secs(10);

/// Whether the worker is to end.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    asked: OnceLock<Instant>,
}

impl Drain {
    /// Listens to the signals; the first is counted among `events`, and `tell` called.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub(crate) fn at_signals(events: Arc<EventCount>, report: impl Fn() + Send + 'static) -> io::Result<Arc<Self>> {
        let drain = Arc::new(Self::default());
        let asked = drain.clone();
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let thread = std::thread::Builder::new().name("signals".into());
        thread.spawn(move || {
            for signal in signals.forever() {
                if asked.asked.set(Instant::now()).is_err() {
                    // Without handlers of native libraries, whose threads still run.
                    low_level::exit(128 + signal);
                }
                report();
                events.notify();
            }
        })?;
        Ok(drain)
    }

    /// Whether it was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.get().is_some()
    }

    /// Whether a server that does not answer was waited for long enough.
    pub(crate) fn is_over(&self) -> bool {
        self.asked.get().is_some_and(|asked| asked.elapsed() >= GRACE)
    }
}
