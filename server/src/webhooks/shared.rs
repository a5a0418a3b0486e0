//! What the threads share that deliver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use lglp_client::EventCount;
use lglp_registry::{Store, WebhookId};

use super::attempt::Outcome;
use super::target::Targets;

/// Time until the registry is asked again after it failed.
pub(super) const REGISTRY_PAUSE: Duration = Duration::from_secs(10);

/// Who hears of deliveries.
pub(crate) trait Observer: Send + Sync {
    /// An attempt was made.
    fn attempted(&self, webhook: &WebhookId, outcome: Outcome);

    /// A webhook was deleted, and no attempt at it comes any more.
    fn gone(&self, webhook: &WebhookId);
}

/// What the threads share.
pub(super) struct Shared {
    /// Not kept open by threads that wait, for an event or for a target: the server closes it when it ends.
    pub store: Weak<dyn Store>,
    pub events: Arc<EventCount>,
    pub targets: Arc<Targets>,
    pub observer: Box<dyn Observer>,
    pub stopping: AtomicBool,
}

impl Shared {
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
