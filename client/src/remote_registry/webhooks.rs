//! Webhooks: created, listed and deleted; the server delivers itself.

use lglp_registry::{CreatedWebhook, Delivery, NewWebhook, Result, Webhook, WebhookId, Webhooks};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteRegistry, error, keyed};

#[derive(Deserialize)]
struct WebhookList {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Delivered {
    delivery: Delivery,
}

impl Webhooks for RemoteRegistry {
    /// The server's caller is the actor.
    fn create_webhook(&self, new: &NewWebhook, _actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook> {
        let headers = keyed(Vec::new(), idempotency_key);
        self.0
            .send(Method::POST, "/v1/webhooks", &headers, new)
            .map_err(error("create the webhook", "webhook"))
    }

    fn webhook(&self, id: &WebhookId) -> Result<Webhook> {
        let path = format!("/v1/webhooks/{id}");
        self.0.get(&path).map_err(error("read the webhook", "webhook"))
    }

    fn webhooks(&self) -> Result<Vec<Webhook>> {
        let list: WebhookList = self.0.get("/v1/webhooks").map_err(error("list webhooks", "list"))?;
        Ok(list.webhooks)
    }

    fn delete_webhook(&self, id: &WebhookId, _actor: &str) -> Result<()> {
        let path = format!("/v1/webhooks/{id}");
        let deleted = self.0.bytes(Method::DELETE, &path, Vec::new());
        deleted.map(drop).map_err(error("delete the webhook", "webhook"))
    }

    fn delivery(&self, id: &WebhookId) -> Result<Delivery> {
        let path = format!("/v1/webhooks/{id}");
        let answer: Delivered = self.0.get(&path).map_err(error("read the webhook", "webhook"))?;
        Ok(answer.delivery)
    }
}
