//! Delivers to one webhook: the next event, again and again until it is taken, then the one after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lglp_client::Backoff;
use lglp_registry::{Delivery, Error, Event, Result, Webhook};
use time::OffsetDateTime;

use super::attempt::attempt;
use super::rfc3339;
use super::shared::{REGISTRY_PAUSE, Shared};
use super::status::PAGE;

/// Between attempts at one event.
const WAITS: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(600),
};

pub(super) struct Worker {
    shared: Arc<Shared>,
    webhook: Webhook,
    /// How far it has come, which the registry learns after every attempt.
    delivery: Delivery,
    /// How far the registry knows.
    recorded_through: u64,
    /// When the next event may be tried again; none after a start, so that a restart tries at once.
    due: Option<Instant>,
}

/// What there is to do.
enum Next {
    /// The webhook was deleted, or the server ends.
    Ends,
    /// Wait for an event, or until an event may be tried again.
    Waits,
    /// Send an event, signed with the secret.
    Sends { event: Box<Event>, secret: String },
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, webhook: Webhook, delivery: Delivery) -> Self {
        Self {
            shared,
            webhook,
            recorded_through: delivery.delivered_through,
            delivery,
            due: None,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            // Looked at before the log, so that an event recorded after it ends the wait.
            let seen = self.shared.events.count();
            match self.next() {
                Ok(Next::Ends) => return,
                Ok(Next::Waits) => self.shared.events.wait(seen, self.due),
                Ok(Next::Sends { event, secret }) => self.send(&event, &secret),
                Err(error) => {
                    tracing::error!(webhook = %self.webhook.id, "cannot read what to deliver: {error}");
                    self.shared.events.wait(seen, Some(Instant::now() + REGISTRY_PAUSE));
                }
            }
        }
    }

    fn next(&mut self) -> Result<Next> {
        let store = self.shared.store.upgrade().filter(|_| !self.shared.stopping());
        let Some(store) = store else { return Ok(Next::Ends) };
        let id = &self.webhook.id;
        match store.webhook(id) {
            Ok(webhook) if webhook.since == self.webhook.since => {}
            Ok(_) | Err(Error::NotFound { .. }) => return Ok(Next::Ends),
            Err(error) => return Err(error),
        }
        if self.due.is_some_and(|due| Instant::now() < due) {
            return Ok(Next::Waits);
        }
        loop {
            let page = store.events(self.delivery.delivered_through + 1, PAGE)?;
            let Some(last) = page.last().map(|event| event.sequence) else {
                return Ok(Next::Waits);
            };
            if let Some(event) = page.into_iter().find(|event| self.webhook.wants(event)) {
                let (event, secret) = (Box::new(event), store.webhook_secret(id)?);
                return Ok(Next::Sends { event, secret });
            }
            // Recorded now and then, so that a start need not read the whole log again.
            self.delivery.delivered_through = last;
            if last >= self.recorded_through + PAGE as u64 {
                store.put_delivery(&self.webhook, &self.delivery)?;
                self.recorded_through = last;
            }
        }
    }

    fn send(&mut self, event: &Event, secret: &str) {
        let (id, sequence) = (&self.webhook.id, event.sequence);
        let body = serde_json::json!(event).to_string();
        let made = attempt(&self.shared.targets, &self.webhook, secret, sequence, body.as_bytes());
        self.shared.observer.attempted(id, made.outcome());
        let now = OffsetDateTime::now_utc();
        self.delivery.last_status = made.status;
        self.delivery.last_error = made.error;
        if let Some(error) = &self.delivery.last_error {
            self.delivery.attempts = self.delivery.attempts.saturating_add(1);
            let wait = WAITS.delay(self.delivery.attempts, &mut rand::rng());
            self.delivery.next_attempt_at = Some(rfc3339(now + wait));
            self.due = Some(Instant::now() + wait);
            let seconds = wait.as_secs_f32();
            tracing::warn!(webhook = %id, event = sequence, "not delivered: {error}; again in {seconds:.1} s");
        } else {
            self.delivery.delivered_through = sequence;
            self.delivery.attempts = 0;
            self.delivery.next_attempt_at = None;
            self.delivery.last_success_at = Some(rfc3339(now));
            self.due = None;
        }
        self.record();
    }

    /// What cannot be recorded is so with the next attempt; a webhook that is gone by now is noticed before it.
    fn record(&mut self) {
        let Some(store) = self.shared.store.upgrade() else {
            return;
        };
        match store.put_delivery(&self.webhook, &self.delivery) {
            Ok(()) => self.recorded_through = self.delivery.delivered_through,
            Err(Error::NotFound { .. }) => {}
            Err(error) => tracing::error!(webhook = %self.webhook.id, "cannot record a delivery: {error}"),
        }
    }
}
