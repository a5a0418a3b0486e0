//! Webhooks.

use crate::{CreatedWebhook, Delivery, NewWebhook, Result, Webhook, WebhookId};

/// Where events are posted to.
pub trait Webhooks: Send + Sync {
    /// Creates a webhook, with a secret drawn for it. It is sent events from then on, none of before. The same content
    /// with the same idempotency key gives the webhook and the secret that it gave before, so that a creator whose
    /// answer got lost learns the secret.
    ///
    /// # Errors
    /// `Invalid`, also where there are too many webhooks; `NotFound` for a hardware target, and for a webhook that this
    /// key created and that is deleted since; `Conflict` where there is one of that name, or the key was used with other
    /// content.
    fn create_webhook(&self, new: &NewWebhook, actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook>;

    /// A webhook.
    ///
    /// # Errors
    /// `NotFound`.
    fn webhook(&self, id: &WebhookId) -> Result<Webhook>;

    /// Every webhook, by name.
    ///
    /// # Errors
    /// The common ones.
    fn webhooks(&self) -> Result<Vec<Webhook>>;

    /// Deletes a webhook, its secret, and how far its events were delivered.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`.
    fn delete_webhook(&self, id: &WebhookId, actor: &str) -> Result<()>;

    /// How far the events have been delivered to a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    fn delivery(&self, id: &WebhookId) -> Result<Delivery>;
}

/// Posting events to webhooks, for the process that does.
pub trait Delivering: Send + Sync {
    /// What the deliveries of a webhook are signed with: for the process that delivers.
    ///
    /// # Errors
    /// `NotFound`.
    fn webhook_secret(&self, id: &WebhookId) -> Result<String>;

    /// Records how far the events have been delivered: for the process that delivers. Neither audited nor an event.
    ///
    /// # Errors
    /// `NotFound` where the webhook was deleted, even if there is another one of its name since; `Invalid` where it would
    /// deliver again what is delivered.
    fn put_delivery(&self, webhook: &Webhook, delivery: &Delivery) -> Result<()>;
}
