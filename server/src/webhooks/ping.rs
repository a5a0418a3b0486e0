//! A test delivery.

use lglp_registry::{Result, Store, WebhookId};
use serde_json::json;
use time::OffsetDateTime;

use super::attempt::{Attempt, attempt};
use super::rfc3339;
use super::target::Targets;

/// Sends a signed test delivery now, and tells what came back. Events are numbered from 1; this has number 0.
pub fn ping(store: &dyn Store, targets: &Targets, id: &WebhookId) -> Result<Attempt> {
    let (webhook, secret) = (store.webhook(id)?, store.webhook_secret(id)?);
    let body = json!({
        "sequence": 0,
        "at": rfc3339(OffsetDateTime::now_utc()),
        "change": { "kind": "ping", "webhook": id },
    });
    Ok(attempt(targets, &webhook, &secret, 0, body.to_string().as_bytes()))
}
