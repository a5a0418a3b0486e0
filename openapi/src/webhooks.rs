//! Webhooks: `/v1/webhooks`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A webhook that is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Its name, which no other webhook has.
    #[schema(example = "ci", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub id: String,
    /// Where events are posted: http or https, on this machine or on a host that the server was started to allow.
    #[schema(example = "http://127.0.0.1:9000/hook")]
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them; `promotion` alone by default.
    #[serde(default)]
    #[schema(example = json!(["promotion"]))]
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; all where there are none.
    #[serde(default)]
    pub hardware: BTreeSet<String>,
}

/// A webhook that was created, and its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// Its name, by which it is found and deleted.
    pub id: String,
    /// In its normal form.
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them.
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; empty for all events, also those about none.
    pub hardware: BTreeSet<String>,
    /// The event that told of its creation; later ones are sent.
    pub since: u64,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
    /// What deliveries are signed with: 64 hex digits, used as text. No other answer tells it.
    pub secret: String,
}

/// A webhook, and how its deliveries go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its name, by which it is found and deleted.
    pub id: String,
    /// Where events are posted, in its normal form.
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them.
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; empty for all events, also those about none.
    pub hardware: BTreeSet<String>,
    /// The event that told of its creation; later ones are sent.
    pub since: u64,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
    /// How far its deliveries have come.
    pub delivery: Delivery,
    /// What it was not told yet.
    pub undelivered: Undelivered,
}

/// How far the events have been delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// Events that wait to be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Undelivered {
    /// How many there are, of those that the webhook is sent.
    pub events: u64,
    /// When the oldest of them happened; null where there is none.
    pub oldest_at: Option<String>,
}

/// Every webhook, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookList {
    /// Each with how its deliveries go.
    pub webhooks: Vec<Webhook>,
}

/// What came of a test delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pinged {
    /// Whether the target answered 2xx in time.
    pub delivered: bool,
    /// HTTP status of the answer; null where there was none.
    pub status: Option<u16>,
    /// What was wrong; null where it was delivered.
    pub error: Option<String>,
    /// How long the attempt took, milliseconds.
    pub duration_ms: f64,
}
