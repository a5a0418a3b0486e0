//! Webhooks: created, listed and deleted; the server delivers itself.

use lglp_registry::{CreatedWebhook, Delivery, Error, NewWebhook, Result, Webhook, WebhookId};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteStore, error, keyed};

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Delivered {
    delivery: Delivery,
}

impl RemoteStore {
    /// The server's caller is the actor.
    pub(super) fn ask_create_webhook(
        &self,
        new: &NewWebhook,
        _actor: &str,
        idempotency_key: Option<&str>,
    ) -> Result<CreatedWebhook> {
        let headers = keyed(Vec::new(), idempotency_key);
        self.0.send(Method::POST, "/v1/webhooks", &headers, new).map_err(error(
            "create the webhook",
            "webhook",
            &new.id,
        ))
    }

    pub(super) fn ask_webhook(&self, id: &WebhookId) -> Result<Webhook> {
        let path = format!("/v1/webhooks/{id}");
        self.0.get(&path).map_err(error("read the webhook", "webhook", id))
    }

    pub(super) fn ask_webhooks(&self) -> Result<Vec<Webhook>> {
        let list: Webhooks = self
            .0
            .get("/v1/webhooks")
            .map_err(error("list webhooks", "list", "webhooks"))?;
        Ok(list.webhooks)
    }

    pub(super) fn ask_delete_webhook(&self, id: &WebhookId, _actor: &str) -> Result<()> {
        let path = format!("/v1/webhooks/{id}");
        let deleted = self.0.bytes(Method::DELETE, &path, Vec::new());
        deleted.map(drop).map_err(error("delete the webhook", "webhook", id))
    }

    pub(super) fn ask_webhook_secret(&self, _id: &WebhookId) -> Result<String> {
        Err(Error::invalid(
            "secret",
            "a server tells the secret of a webhook once, when it is created",
        ))
    }

    pub(super) fn ask_delivery(&self, id: &WebhookId) -> Result<Delivery> {
        let path = format!("/v1/webhooks/{id}");
        let answer: Delivered = self.0.get(&path).map_err(error("read the webhook", "webhook", id))?;
        Ok(answer.delivery)
    }

    pub(super) fn ask_put_delivery(&self, _webhook: &Webhook, _delivery: &Delivery) -> Result<()> {
        Err(Error::invalid(
            "delivered_through",
            "a server delivers the events of its registry itself",
        ))
    }
}
