//! How the deliveries of webhooks stand, for listings and metrics.

use lglp_openapi::webhooks::{Undelivered, Webhook as WithStatus};
use lglp_registry::{Error, Registry, Result, Webhook};

/// Events that are read at once.
pub(super) const PAGE: usize = 256;

/// A webhook beside how its deliveries stand: its cursor, and what lies between that and the end of the event log.
///
/// # Errors
/// The common ones; `NotFound` where it was deleted meanwhile.
pub fn delivery_status(store: &dyn Registry, webhook: Webhook) -> Result<WithStatus> {
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
    Ok(WithStatus::of(webhook, delivery, undelivered))
}

/// Every webhook, by name, beside how its deliveries stand.
///
/// # Errors
/// The common ones.
pub fn delivery_statuses(store: &dyn Registry) -> Result<Vec<WithStatus>> {
    let mut all = Vec::new();
    for webhook in store.webhooks()? {
        match delivery_status(store, webhook) {
            Ok(status) => all.push(status),
            // Deleted since it was listed.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}
