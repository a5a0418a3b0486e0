//! How the deliveries of webhooks stand, for listings and metrics.

use lglp_registry::{Delivery, Error, Registry, Result, Webhook};
use serde::Serialize;

/// Events that are read at once.
pub(super) const PAGE: usize = 256;

/// A webhook, how far it has come, and what it has not been told yet.
#[derive(Clone, Debug, Serialize)]
pub struct DeliveryStatus {
    /// The webhook; written without a level of its own.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// How far it has come, and how the last attempt went.
    pub delivery: Delivery,
    /// What it wants of the events after those that were delivered.
    pub undelivered: Undelivered,
}

/// Events that wait to be delivered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Undelivered {
    pub events: u64,
    /// When the oldest of them happened; RFC 3339, UTC.
    pub oldest_at: Option<String>,
}

impl DeliveryStatus {
    /// Reads how a webhook stands: its cursor, and what lies between that and the end of the event log.
    pub fn of(store: &dyn Registry, webhook: Webhook) -> Result<Self> {
        let delivery = store.delivery(&webhook.id)?;
        let mut undelivered = Undelivered::default();
        let mut through = delivery.delivered_through;
        loop {
            let page = store.events(through + 1, PAGE)?;
            let Some(last) = page.last() else { break };
            through = last.sequence;
            for event in page.iter().filter(|event| webhook.wants(event)) {
                undelivered.events += 1;
                undelivered.oldest_at.get_or_insert_with(|| event.at.clone());
            }
        }
        Ok(Self {
            webhook,
            delivery,
            undelivered,
        })
    }

    /// How every webhook stands, by name.
    pub fn all(store: &dyn Registry) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for webhook in store.webhooks()? {
            match Self::of(store, webhook) {
                Ok(standing) => all.push(standing),
                // Deleted since it was listed.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}
