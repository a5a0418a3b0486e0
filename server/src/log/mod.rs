//! The server's log: lines on standard error, so many of a kind in a minute.
//!
//! Much of what is logged is brought about from outside: bad tokens, versions that cannot be loaded, targets that do not answer.
//! Whoever brings it about in a loop must not fill the disk, nor hide other lines. A kind is a place in the code that logs; what
//! is left out is counted, and told at the end of its minute.

mod lines;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lglp_sdk::Printable;
use tracing::callsite::Identifier;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use self::lines::Lines;

/// Lines of a kind in a [`PERIOD`].
const LINES: u64 = 60;

/// See [`LINES`].
const PERIOD: Duration = Duration::from_secs(60);

/// What is left out, of the process's one log.
static LIMIT: LazyLock<Limit> = LazyLock::new(Limit::default);

/// What is logged unless `LGLP_LOG` says otherwise.
const USUAL: &str = "info,actix_server=warn";

/// Logs from now on; `LGLP_LOG` says what.
///
/// # Errors
/// Where that says nothing sensible: whoever looks for a fault would wait for lines that never come.
pub fn start() -> anyhow::Result<()> {
    let asked = std::env::var("LGLP_LOG").ok().filter(|asked| !asked.is_empty());
    let asked = asked.as_deref().unwrap_or(USUAL);
    let what = EnvFilter::try_new(asked)
        .with_context(|| format!("LGLP_LOG is `{}`; expected levels as in {USUAL}", Printable::of(asked)))?;
    let lines = fmt::layer()
        .with_writer(|| Lines(std::io::stderr()))
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(LIMIT.clone());
    tracing_subscriber::registry().with(what).with(lines).init();
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(PERIOD);
            LIMIT.report();
        }
    });
    Ok(())
}

/// Tells what was left out so far: the process ends.
pub fn end() {
    LIMIT.report();
}

/// Which lines are written. There are as many kinds as places in the code.
#[derive(Clone, Default)]
struct Limit(Arc<Mutex<HashMap<Identifier, Kind>>>);

/// Lines of one kind.
struct Kind {
    /// When the first of those counted came.
    since: Instant,
    written: u64,
    /// Since it was last told.
    left_out: u64,
    metadata: &'static Metadata<'static>,
}

impl Limit {
    /// Whether one more line is written.
    fn admits(&self, metadata: &'static Metadata<'static>, now: Instant) -> bool {
        // Counts are right after every single step: a panic under the lock leaves nothing half done.
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(metadata.callsite()).or_insert(Kind {
            since: now,
            written: 0,
            left_out: 0,
            metadata,
        });
        if now.duration_since(kind.since) >= PERIOD {
            (kind.since, kind.written) = (now, 0);
        }
        let admits = kind.written < LINES;
        if admits {
            kind.written += 1;
        } else {
            kind.left_out += 1;
        }
        admits
    }

    /// What was left out since this was last asked, by kind.
    fn left_out(&self) -> Vec<(u64, &'static Metadata<'static>)> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kinds = kinds.values_mut().filter(|kind| kind.left_out > 0);
        kinds
            .map(|kind| (std::mem::take(&mut kind.left_out), kind.metadata))
            .collect()
    }

    fn report(&self) {
        for (lines, kind) in self.left_out() {
            let (target, at) = (kind.target(), kind.line().unwrap_or_default());
            tracing::warn!(lines, kind = %format_args!("{target}:{at}"), "further lines like those before were left out");
        }
    }
}

impl<S: Subscriber> Filter<S> for Limit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event.metadata(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_of_a_kind_in_a_minute_and_the_others_are_counted() {
        let limit = Limit::default();
        let metadata = || tracing::info_span!("a kind").metadata().expect("a kind");
        let (flood, other) = (
            metadata(),
            tracing::info_span!("another kind").metadata().expect("a kind"),
        );
        let start = Instant::now();
        let written = |kind, second: u64| {
            let now = start + Duration::from_secs(second);
            (0..1000).filter(|_| limit.admits(kind, now)).count() as u64
        };
        assert_eq!(written(flood, 0), LINES);
        assert_eq!(written(flood, 59), 0);
        assert_eq!(written(other, 59), LINES, "another kind is not hidden");
        assert_eq!(written(flood, 60), LINES, "a minute later");
        let mut left_out: Vec<_> = limit
            .left_out()
            .into_iter()
            .map(|(lines, kind)| (kind.name(), lines))
            .collect();
        left_out.sort_unstable();
        assert_eq!(left_out, [("a kind", 2880), ("another kind", 940)]);
        assert!(limit.left_out().is_empty(), "it is told once");
    }
}
