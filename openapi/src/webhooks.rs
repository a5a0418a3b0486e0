//! Webhooks: `/v1/webhooks`.

use std::collections::BTreeSet;

use lglp_registry::{CreatedWebhook as StoredWithSecret, HardwareName, Webhook as Stored, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Delivery, NewWebhook};

/// A webhook that was created, and its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// Its name, by which it is found and deleted.
    #[schema(value_type = String)]
    pub id: WebhookId,
    /// In its normal form.
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them.
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; empty for all events, also those about none.
    #[schema(value_type = BTreeSet<String>)]
    pub hardware: BTreeSet<HardwareName>,
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
    #[schema(value_type = String)]
    pub id: WebhookId,
    /// Where events are posted, in its normal form.
    pub url: String,
    /// `promotion` for moves of `production`, or kinds of events, as `/v1/events` has them.
    pub events: BTreeSet<String>,
    /// Hardware targets whose events are sent; empty for all events, also those about none.
    #[schema(value_type = BTreeSet<String>)]
    pub hardware: BTreeSet<HardwareName>,
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

impl From<StoredWithSecret> for CreatedWebhook {
    fn from(stored: StoredWithSecret) -> Self {
        let StoredWithSecret { webhook, secret } = stored;
        let Stored {
            id,
            url,
            events,
            hardware,
            since,
            created_at,
            created_by,
        } = webhook;
        Self {
            id,
            url,
            events,
            hardware,
            since,
            created_at,
            created_by,
            secret,
        }
    }
}

impl Webhook {
    /// A webhook beside how its deliveries go.
    pub fn of(stored: Stored, delivery: Delivery, undelivered: Undelivered) -> Self {
        let Stored {
            id,
            url,
            events,
            hardware,
            since,
            created_at,
            created_by,
        } = stored;
        Self {
            id,
            url,
            events,
            hardware,
            since,
            created_at,
            created_by,
            delivery,
            undelivered,
        }
    }
}

/// Events that wait to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
