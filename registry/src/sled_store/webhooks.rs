//! Webhooks, their secrets, and how far events have been delivered.

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use serde_json::{Value, json};

use super::idempotency::IdempotencyKey;
use super::{SledStore, keys};
use crate::domain::webhook::WEBHOOKS_LIMIT;
use crate::domain::{item, limits};
use crate::{
    Change, CreatedWebhook, Delivering, Delivery, Error, NewWebhook, Result, Webhook, WebhookId, Webhooks, clock,
};

impl Webhooks for SledStore {
    fn create_webhook(&self, new: &NewWebhook, actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook> {
        new.check()?;
        limits::text("actor", actor)?;
        let once = IdempotencyKey::new("webhooks", idempotency_key, new)?;
        let (key, secret_key) = (keys::webhook(&new.id), keys::webhook_secret(&new.id));
        self.write(|changes| {
            let recorded = changes.find::<Webhook>(&key)?;
            if let Some(since) = changes.answered::<u64>(&once)? {
                // One that was created again under the name of the first has another secret, which is not its answer.
                let webhook = recorded.filter(|webhook| webhook.since == since);
                let webhook = webhook.ok_or_else(|| Error::not_found("webhook", &new.id))?;
                let secret = changes.find(&secret_key)?;
                let secret = secret.ok_or_else(|| Error::not_found("webhook secret", &new.id))?;
                return Ok(CreatedWebhook { webhook, secret });
            }
            if let Some(recorded) = recorded {
                let field = new.difference(&recorded).unwrap_or("secret");
                return Err(Error::conflict(format!("webhook {}", new.id), field));
            }
            if self.scan(keys::WEBHOOK).count() >= WEBHOOKS_LIMIT {
                let reason = format!("there are {WEBHOOKS_LIMIT} webhooks, and no more may be; delete one");
                return Err(Error::invalid("id", reason));
            }
            for hardware in &new.hardware {
                let known = changes.require("hardware target", hardware, &keys::hardware(hardware));
                item("hardware", known)?;
            }
            let since = changes
                .last(keys::EVENT)?
                .map_or(Ok(0), |key| keys::number::<u64>(&key))?
                + 1;
            let NewWebhook {
                id,
                url,
                events,
                hardware,
            } = new.clone();
            let webhook = Webhook {
                id,
                url,
                events,
                hardware,
                since,
                created_at: clock::now(),
                created_by: actor.to_owned(),
            };
            let secret = random_secret()?;
            let change = Change::WebhookCreated {
                webhook: new.id.clone(),
            };
            changes.log(change, actor, None, (Value::Null, json!(webhook)))?;
            changes.answer(once, &since)?;
            changes.put(key, &webhook)?;
            changes.put(secret_key, &secret)?;
            changes.put(keys::webhook_delivery(&new.id), &Delivery::new(since))?;
            Ok(CreatedWebhook { webhook, secret })
        })
    }

    fn webhook(&self, id: &WebhookId) -> Result<Webhook> {
        self.find(&keys::webhook(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }

    fn webhooks(&self) -> Result<Vec<Webhook>> {
        self.list(keys::WEBHOOK)
    }

    fn delete_webhook(&self, id: &WebhookId, actor: &str) -> Result<()> {
        limits::text("actor", actor)?;
        let key = keys::webhook(id);
        self.write(|changes| {
            let webhook = changes.find::<Webhook>(&key)?;
            let webhook = webhook.ok_or_else(|| Error::not_found("webhook", id))?;
            let change = Change::WebhookDeleted { webhook: id.clone() };
            changes.log(change, actor, None, (json!(webhook), Value::Null))?;
            changes.remove(key);
            changes.remove(keys::webhook_secret(id));
            changes.remove(keys::webhook_delivery(id));
            Ok(())
        })
    }

    fn delivery(&self, id: &WebhookId) -> Result<Delivery> {
        self.find(&keys::webhook_delivery(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }
}

impl Delivering for SledStore {
    fn webhook_secret(&self, id: &WebhookId) -> Result<String> {
        self.find(&keys::webhook_secret(id))?
            .ok_or_else(|| Error::not_found("webhook", id))
    }

    fn put_delivery(&self, webhook: &Webhook, delivery: &Delivery) -> Result<()> {
        self.write(|changes| {
            let recorded = changes.find::<Webhook>(&keys::webhook(&webhook.id))?;
            // A deleted webhook stays deleted, and one created since under its name starts anew.
            if recorded.is_none_or(|recorded| recorded.since != webhook.since) {
                return Err(Error::not_found("webhook", &webhook.id));
            }
            let key = keys::webhook_delivery(&webhook.id);
            let through = changes.find::<Delivery>(&key)?.map_or(0, |old| old.delivered_through);
            if delivery.delivered_through < through {
                let reason = format!("must not go back from {through} to {}", delivery.delivered_through);
                return Err(Error::invalid("delivered_through", reason));
            }
            changes.put(key, delivery)
        })
    }
}

/// 256 bits from the system, as 64 hex digits.
fn random_secret() -> Result<String> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|source| Error::Storage {
        doing: "draw a secret",
        source: Box::new(source),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
