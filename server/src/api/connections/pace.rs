//! How fast something has to come along.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::rt::time::{Sleep, sleep};

/// A rate that has to be kept in every window of waiting. Time in which nobody waits for the other side does not count, and
/// what came early gives no credit: whoever sent nearly all of a body at once must not keep it for hours.
pub(super) struct Pace {
    window: Duration,
    /// Bytes that have to come in each window.
    least: u64,
    bytes: u64,
    waited: Duration,
    /// Since when the other side is waited for, and until when it may be.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Pace {
    pub(super) const fn new(window: Duration, least: u64) -> Self {
        Self {
            window,
            least,
            bytes: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// Something came along.
    pub(super) fn progress(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        self.bytes += bytes as u64;
        if self.bytes >= self.least {
            (self.bytes, self.waited) = (0, Duration::ZERO);
        }
    }

    /// Nothing came along now. Ready once the window is over without what it needs.
    pub(super) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let left = self.window.saturating_sub(self.waited);
        let (_, timer) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        timer.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(200);

    fn is_over(pace: &mut Pace) -> bool {
        futures_util::FutureExt::now_or_never(poll_fn(|context| pace.poll_over(context))).is_some()
    }

    #[actix_web::test]
    async fn a_window_without_enough_is_the_end() {
        let mut pace = Pace::new(WINDOW, 100);
        assert!(!is_over(&mut pace));
        sleep(WINDOW / 2).await;
        pace.progress(99);
        assert!(!is_over(&mut pace));
        sleep(WINDOW).await;
        assert!(is_over(&mut pace), "99 bytes are too few for a window");
    }

    #[actix_web::test]
    async fn what_keeps_the_rate_goes_on_and_early_bytes_are_no_credit() {
        let mut pace = Pace::new(WINDOW, 100);
        for _ in 0..4 {
            assert!(!is_over(&mut pace));
            sleep(WINDOW * 2 / 3).await;
            pace.progress(100);
        }
        pace.progress(1_000_000);
        assert!(!is_over(&mut pace));
        sleep(WINDOW * 3 / 2).await;
        assert!(is_over(&mut pace));
    }

    #[actix_web::test]
    async fn time_in_which_nobody_waits_does_not_count() {
        let mut pace = Pace::new(WINDOW, 100);
        sleep(WINDOW * 2).await;
        assert!(!is_over(&mut pace));
        pace.progress(1);
        sleep(WINDOW * 2).await;
        assert!(!is_over(&mut pace));
    }
}
