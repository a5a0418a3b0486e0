//! Keeps one thread running for each webhook.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use lglp_client::EventCount;
use lglp_registry::{Store, WebhookId};

use super::shared::{Observer, REGISTRY_PAUSE, Shared};
use super::target::Targets;
use super::worker::Worker;

/// Threads by the webhook that they deliver to, and its first event: one that was deleted may come again under its name.
type Running = HashMap<(WebhookId, u64), JoinHandle<()>>;

/// Delivers events until it is dropped. An attempt under way is not waited for: its event is tried again by the next server.
pub(crate) struct Dispatcher(Arc<Shared>);

impl Dispatcher {
    pub(crate) fn start(
        store: &Arc<dyn Store>,
        targets: Arc<Targets>,
        observer: Box<dyn Observer>,
    ) -> anyhow::Result<Self> {
        let events = Arc::new(EventCount::default());
        let changes = events.clone();
        store.watch(Arc::new(move |_| changes.notify()))?;
        let shared = Arc::new(Shared {
            store: Arc::downgrade(store),
            events,
            targets,
            observer,
            stopping: AtomicBool::new(false),
        });
        let supervised = shared.clone();
        let thread = std::thread::Builder::new().name("webhooks".into());
        thread.spawn(move || supervise(&supervised))?;
        Ok(Self(shared))
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.events.notify();
    }
}

/// Webhooks come and go with events; one that went ends its own thread.
fn supervise(shared: &Arc<Shared>) {
    let mut running = Running::new();
    while !shared.stopping() {
        let seen = shared.events.count();
        running.retain(|(webhook, _), thread| {
            let runs = !thread.is_finished();
            if !runs {
                shared.observer.gone(webhook);
            }
            runs
        });
        let again = match start_missing(shared, &mut running) {
            Ok(()) => None,
            Err(error) => {
                tracing::error!("cannot start delivering to webhooks: {error}");
                Some(Instant::now() + REGISTRY_PAUSE)
            }
        };
        shared.events.wait(seen, again);
    }
}

fn start_missing(shared: &Arc<Shared>, running: &mut Running) -> Result<(), Box<dyn std::error::Error>> {
    let Some(store) = shared.store.upgrade() else {
        return Ok(());
    };
    for webhook in store.webhooks()? {
        let key = (webhook.id.clone(), webhook.since);
        if running.contains_key(&key) {
            continue;
        }
        let delivery = store.delivery(&webhook.id)?;
        let worker = Worker::new(shared.clone(), webhook, delivery);
        let thread = std::thread::Builder::new().name(format!("webhook {}", key.0));
        running.insert(key, thread.spawn(move || worker.run())?);
    }
    Ok(())
}
