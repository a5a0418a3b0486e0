use std::collections::BTreeSet;

use super::fixtures::{name, new_hardware};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Delivery, NewWebhook, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a webhook starts at the present", starts_now),
    ("a webhook is created once", created_once),
    ("a webhook selects events and hardware that there are", selects),
    ("a deleted webhook leaves nothing behind", deleted),
    ("the secret of a webhook is told once", told_once),
    ("delivering goes forward, and belongs to one webhook", forward),
    ("there are only so many webhooks", limited),
];

/// A webhook of promotions.
pub(super) fn new_webhook(id: &str) -> NewWebhook {
    NewWebhook {
        id: id.parse().unwrap(),
        url: "http://127.0.0.1:9000/hook".to_owned(),
        events: BTreeSet::from(["promotion".to_owned()]),
        hardware: BTreeSet::new(),
    }
}

fn starts_now(store: &dyn Store) {
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let new = NewWebhook {
        hardware: BTreeSet::from([name("cpu")]),
        ..new_webhook("ci")
    };
    let created = store.create_webhook(&new, "ann", None).unwrap();
    let webhook = created.webhook;
    assert_eq!(
        (&webhook.url, &webhook.events, &webhook.hardware),
        (&new.url, &new.events, &new.hardware)
    );
    assert_eq!((webhook.since, webhook.created_by.as_str()), (2, "ann"));
    assert_eq!(store.events(webhook.since, 9).unwrap().len(), 1, "its own creation");
    assert_eq!(store.delivery(&webhook.id).unwrap(), Delivery::new(2));
    assert_eq!(store.webhook(&webhook.id).unwrap(), webhook);
    store.create_webhook(&new_webhook("a"), "ann", None).unwrap();
    let ids: Vec<_> = store
        .webhooks()
        .unwrap()
        .into_iter()
        .map(|w| w.id.to_string())
        .collect();
    assert_eq!(ids, ["a", "ci"]);
}

fn created_once(store: &dyn Store) {
    let new = new_webhook("ci");
    let first = store.create_webhook(&new, "ann", Some("key")).unwrap();
    assert_eq!(store.create_webhook(&new, "ann", Some("key")).unwrap(), first);
    let elsewhere = NewWebhook {
        url: "http://127.0.0.1:9001/hook".to_owned(),
        ..new.clone()
    };
    assert_eq!(
        conflict(store.create_webhook(&elsewhere, "ann", Some("key"))),
        "content"
    );
    assert_eq!(conflict(store.create_webhook(&elsewhere, "ann", None)), "url");
    assert_eq!(conflict(store.create_webhook(&new, "ann", None)), "secret");
    assert_eq!(store.webhook(&new.id).unwrap(), first.webhook);
    assert_eq!(store.webhook_secret(&new.id).unwrap(), first.secret);
}

fn selects(store: &dyn Store) {
    let create = |change: &dyn Fn(&mut NewWebhook)| {
        let mut new = new_webhook("ci");
        change(&mut new);
        store.create_webhook(&new, "ann", None)
    };
    assert_eq!(invalid(create(&|new| new.events.clear())), "events");
    assert_eq!(
        invalid(create(&|new| new.events = BTreeSet::from(["alias-moved".to_owned()]))),
        "events"
    );
    assert_eq!(invalid(create(&|new| new.url.clear())), "url");
    assert_eq!(invalid(create(&|new| new.url = "x".repeat(2049))), "url");
    let unknown = not_found(create(&|new| new.hardware = BTreeSet::from([name("gpu")])));
    assert_eq!(unknown, ("hardware target", "gpu".to_owned()));
    assert_eq!(invalid(store.create_webhook(&new_webhook("ci"), "", None)), "actor");
    assert_eq!(store.webhooks().unwrap(), []);
    assert_eq!(store.events(0, 9).unwrap(), []);
    let all = lglp_registry::selectors().into_iter().map(str::to_owned).collect();
    create(&|new| new.events.clone_from(&all)).unwrap();
}

fn deleted(store: &dyn Store) {
    let new = new_webhook("ci");
    let first = store.create_webhook(&new, "ann", Some("key")).unwrap();
    store.delete_webhook(&new.id, "ann").unwrap();
    assert_eq!(store.webhooks().unwrap(), []);
    assert_eq!(not_found(store.webhook(&new.id)).0, "webhook");
    not_found(store.webhook_secret(&new.id));
    not_found(store.delivery(&new.id));
    not_found(store.delete_webhook(&new.id, "ann"));
    not_found(store.create_webhook(&new, "ann", Some("key")));
    let second = store.create_webhook(&new, "ann", None).unwrap();
    assert_ne!(second.secret, first.secret);
    not_found(store.create_webhook(&new, "ann", Some("key")));
}

fn told_once(store: &dyn Store) {
    let created = store.create_webhook(&new_webhook("ci"), "ann", Some("key")).unwrap();
    let secret = created.secret;
    assert_eq!((secret.len(), created.webhook.id.as_str()), (64, "ci"));
    assert_ne!(
        store.create_webhook(&new_webhook("cd"), "ann", None).unwrap().secret,
        secret
    );
    store.delete_webhook(&created.webhook.id, "ann").unwrap();
    let told = serde_json::json!([
        store.webhooks().unwrap(),
        store.audit(0, 9).unwrap(),
        store.events(0, 9).unwrap()
    ]);
    assert!(!told.to_string().contains(&secret));
}

fn forward(store: &dyn Store) {
    let create = || store.create_webhook(&new_webhook("ci"), "ann", None).unwrap().webhook;
    let first = create();
    let failing = Delivery {
        attempts: 3,
        next_attempt_at: Some("2024-01-31T12:00:00Z".to_owned()),
        last_status: Some(500),
        last_error: Some("answered 500".to_owned()),
        last_success_at: Some("2024-01-31T11:00:00Z".to_owned()),
        ..Delivery::new(7)
    };
    store.put_delivery(&first, &failing).unwrap();
    store.put_delivery(&first, &failing).unwrap();
    assert_eq!(store.delivery(&first.id).unwrap(), failing);
    assert_eq!(
        invalid(store.put_delivery(&first, &Delivery::new(6))),
        "delivered_through"
    );
    assert_eq!(store.audit(0, 9).unwrap().len(), 1, "deliveries are not audited");
    store.delete_webhook(&first.id, "ann").unwrap();
    not_found(store.put_delivery(&first, &failing));
    let second = create();
    not_found(store.put_delivery(&first, &failing));
    assert_eq!(store.delivery(&second.id).unwrap(), Delivery::new(second.since));
}

fn limited(store: &dyn Store) {
    let create = |index: usize| store.create_webhook(&new_webhook(&format!("w{index}")), "ann", None);
    for index in 0..64 {
        create(index).unwrap();
    }
    assert_eq!(invalid(create(64)), "id");
    store.delete_webhook(&"w0".parse().unwrap(), "ann").unwrap();
    create(64).unwrap();
}
