//! One attempt to deliver.

use std::time::{Duration, Instant};

use lglp_client::Post;
use lglp_registry::Webhook;
use lglp_sdk::excerpt::{MESSAGE, shortened};
use rand::Rng;
use time::OffsetDateTime;

use super::signature::{sign, sign_message};
use super::target::Targets;

/// What a target has for its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The header that tells one attempt from another, and a delivery from other requests.
pub(crate) const DELIVERY_HEADER: &str = "X-Lglp-Delivery";

/// What came of an attempt, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target took it: it answered 2xx.
    Delivered,
    /// The target answered something else.
    Rejected,
    /// There was no answer, or the target is not allowed.
    Unreachable,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Rejected, Self::Unreachable];
}

/// An attempt that was made.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// What was wrong.
    pub error: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Attempt {
    /// As what it is counted.
    pub fn outcome(&self) -> Outcome {
        match (&self.error, self.status) {
            (None, _) => Outcome::Delivered,
            (Some(_), Some(_)) => Outcome::Rejected,
            (Some(_), None) => Outcome::Unreachable,
        }
    }
}

/// Posts a signed body to a webhook. `sequence` is the event's number; 0 is no event.
pub(super) fn attempt(targets: &Targets, webhook: &Webhook, secret: &str, sequence: u64, body: &[u8]) -> Attempt {
    let start = Instant::now();
    let sent = post(targets, webhook, secret, sequence, body);
    let duration = start.elapsed();
    let (status, error) = match sent {
        Ok(status @ 200..=299) => (Some(status), None),
        Ok(status @ 300..=399) => (
            Some(status),
            Some(format!("answered {status}; redirects are not followed")),
        ),
        Ok(status) => (Some(status), Some(format!("answered {status}"))),
        Err(reason) => (None, Some(shortened(reason, MESSAGE))),
    };
    Attempt {
        status,
        error,
        duration,
    }
}

fn post(targets: &Targets, webhook: &Webhook, secret: &str, sequence: u64, body: &[u8]) -> Result<u16, String> {
    let target = targets.check(&webhook.url).map_err(|e| e.to_string())?;
    let addresses = target.addresses().map_err(|e| e.to_string())?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let delivery = format!("{:032x}", rand::rng().random::<u128>());
    // The same with every attempt at an event; two webhooks of one name, of before and after a deletion, began at different ones.
    let message = match sequence {
        0 => format!("ping_{delivery}"),
        event => format!("event_{}_{event}", webhook.since),
    };
    Post {
        url: target.url(),
        addresses: &addresses,
        headers: &[
            ("X-Lglp-Event", &sequence.to_string()),
            (DELIVERY_HEADER, &delivery),
            ("X-Lglp-Signature", &sign(secret, now, body)),
            ("Webhook-Id", &message),
            ("Webhook-Timestamp", &now.to_string()),
            ("Webhook-Signature", &sign_message(secret, &message, now, body)),
        ],
        body,
        timeout: TIMEOUT,
    }
    .send()
}
