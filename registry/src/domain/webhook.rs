//! Webhooks: who is told of which events, and how far that has come.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::limits;
use crate::error::quoted;
use crate::{Change, Error, Event, HardwareName, Result, WebhookId};

/// Selects the moves of the alias `production`, rollbacks included.
pub const PROMOTION: &str = "promotion";

/// How many webhooks there may be: each costs the server a thread.
pub(crate) const WEBHOOKS_LIMIT: usize = 64;

/// Bytes of a URL at most.
const URL_LIMIT: usize = 2048;

/// A webhook that is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Its name, which no other webhook has.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "ci", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub id: WebhookId,
    /// Where events are posted: http or https, on this machine or on a host that the server was started to allow.
    #[cfg_attr(feature = "schema", schema(example = "http://127.0.0.1:9000/hook"))]
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them; `promotion` alone by default.
    #[serde(default = "promotions", deserialize_with = "known_events")]
    #[cfg_attr(feature = "schema", schema(example = json!(["promotion"])))]
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; all where there are none.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = BTreeSet<String>))]
    pub hardware: BTreeSet<HardwareName>,
}

/// A webhook. Its secret is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its name.
    pub id: WebhookId,
    /// Where events are sent.
    pub url: String,
    /// Which events: [`PROMOTION`], or kinds of [`Change`].
    pub events: BTreeSet<String>,
    /// Of which hardware targets; empty for all of them, and for events that concern none.
    pub hardware: BTreeSet<HardwareName>,
    /// The sequence number of the event that told of its creation: it is sent what comes later. No other webhook ever has
    /// the same, not even of the same name.
    pub since: u64,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
}

/// A webhook as its creator sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its deliveries are signed with: 64 hex digits. Nothing else ever tells it.
    pub secret: String,
}

/// How far the events have been delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Events up to this sequence number are delivered, or were not for this webhook.
    pub delivered_through: u64,
    /// How often the next event was tried in vain.
    pub attempts: u32,
    /// When it is tried again; null where it did not fail.
    pub next_attempt_at: Option<String>,
    /// HTTP status of the last attempt; null where there was no answer, or no attempt.
    pub last_status: Option<u16>,
    /// What was wrong with the last attempt; null where it succeeded.
    pub last_error: Option<String>,
    /// When an event was last delivered.
    pub last_success_at: Option<String>,
}

fn promotions() -> BTreeSet<String> {
    BTreeSet::from([PROMOTION.to_owned()])
}

/// One of [`NewWebhook::events`] as it is read: a fault has its place in the list, which the set has no more.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Selector(String);

impl TryFrom<String> for Selector {
    type Error = String;

    fn try_from(event: String) -> Result<Self, String> {
        known_event(&event).map(|()| Self(event))
    }
}

fn known_events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let events = BTreeSet::<Selector>::deserialize(deserializer)?;
    Ok(events.into_iter().map(|Selector(event)| event).collect())
}

/// Fails with the reason why a text selects no event.
fn known_event(event: &str) -> Result<(), String> {
    let known = selectors();
    if known.contains(&event) {
        return Ok(());
    }
    Err(format!(
        "{} is no kind of event; there are {}",
        quoted(event),
        known.join(", ")
    ))
}

/// What [`NewWebhook::events`] may hold: [`PROMOTION`], then every kind of change.
pub fn selectors() -> Vec<&'static str> {
    [PROMOTION].into_iter().chain(Change::kinds().iter().copied()).collect()
}

impl NewWebhook {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("url", &self.url)?;
        if self.url.len() > URL_LIMIT {
            let reason = format!("expected {URL_LIMIT} bytes at most, got {}", self.url.len());
            return Err(Error::invalid("url", reason));
        }
        limits::document("hardware", &self.hardware, limits::DOCUMENT)?;
        if self.events.is_empty() {
            let reason = format!("must not be empty; choose from {}", selectors().join(", "));
            return Err(Error::invalid("events", reason));
        }
        let known = |event: &String| known_event(event).map_err(|reason| Error::invalid("events", reason));
        self.events.iter().try_for_each(known)
    }

    /// The first field in which this describes another webhook than `recorded`, if any.
    pub fn difference(&self, recorded: &Webhook) -> Option<&'static str> {
        [
            ("url", self.url != recorded.url),
            ("events", self.events != recorded.events),
            ("hardware", self.hardware != recorded.hardware),
        ]
        .into_iter()
        .find_map(|(field, differs)| differs.then_some(field))
    }
}

impl Webhook {
    /// Whether an event is for this webhook.
    pub fn wants(&self, event: &Event) -> bool {
        let change = serde_json::json!(event.change);
        let text = |field: &str| change[field].as_str();
        let promotion = self.events.contains(PROMOTION)
            && text("kind") == Some("alias_moved")
            && text("alias") == Some("production");
        let selected = promotion || text("kind").is_some_and(|kind| self.events.contains(kind));
        let concerned = || self.hardware.iter().any(|hardware| event.change.is_about(hardware));
        selected && (self.hardware.is_empty() || concerned())
    }
}

impl Delivery {
    /// Nothing is delivered yet of what comes after `since`.
    pub fn new(since: u64) -> Self {
        Self {
            delivered_through: since,
            attempts: 0,
            next_attempt_at: None,
            last_status: None,
            last_error: None,
            last_success_at: None,
        }
    }
}

// Not derived: a secret must not get into a log.
impl std::fmt::Debug for CreatedWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedWebhook")
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(events: &[&str], hardware: &[&str]) -> Webhook {
        Webhook {
            id: "ci".parse().unwrap(),
            url: "http://127.0.0.1/".to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            hardware: hardware.iter().map(|name| name.parse().unwrap()).collect(),
            since: 1,
            created_at: String::new(),
            created_by: String::new(),
        }
    }

    fn event(change: serde_json::Value) -> Event {
        Event {
            sequence: 2,
            at: String::new(),
            change: serde_json::from_value(change).unwrap(),
        }
    }

    #[test]
    fn a_webhook_wants_what_it_selects() {
        let moved = |alias: &str| {
            let moved = serde_json::json!({
                "kind": "alias_moved", "hardware": "cpu", "alias": alias, "version": 1, "generation": 1, "previous": null,
            });
            event(moved)
        };
        let created = event(serde_json::json!({ "kind": "hardware_created", "hardware": "gpu" }));
        let deleted = event(serde_json::json!({ "kind": "webhook_deleted", "webhook": "ci" }));
        for (events, hardware, wanted) in [
            (&["promotion"][..], &[][..], [true, false, false, false]),
            (&["alias_moved"], &[], [true, true, false, false]),
            (&["alias_moved"], &["gpu"], [false; 4]),
            (
                &["promotion", "hardware_created"],
                &["gpu"],
                [false, false, true, false],
            ),
            (&["promotion", "webhook_deleted"], &[], [true, false, false, true]),
            (&["webhook_deleted"], &["cpu"], [false; 4]),
        ] {
            let webhook = webhook(events, hardware);
            let wants = [&moved("production"), &moved("candidate"), &created, &deleted].map(|e| webhook.wants(e));
            assert_eq!(wants, wanted, "{events:?} {hardware:?}");
        }
    }

    #[test]
    fn the_secret_is_not_in_debug_output() {
        let created = CreatedWebhook {
            webhook: webhook(&["promotion"], &[]),
            secret: "hush".to_owned(),
        };
        assert!(!format!("{created:?}").contains("hush"));
    }
}
