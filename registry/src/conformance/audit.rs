use super::Check;
use super::fixtures::{
    SPACE, measurement, name, new_dataset, new_hardware, new_job, promote, ready_for_versions, reference, worker,
};
use crate::{AuditHead, Change, Digest, Exclusion, JobKind, JobOutcome, JobState, Progress, Store};

pub(super) const CHECKS: &[Check] = &[
    ("an empty audit log verifies", empty),
    (
        "every change has one audit entry and one event, and a no-op has none",
        one_each,
    ),
    ("audit entries are chained", chained),
    ("audit entries and events are read in pages", pages),
];

fn empty(store: &dyn Store) {
    assert_eq!(store.verify_audit().unwrap(), AuditHead::empty());
    assert_eq!(store.audit(0, 10).unwrap(), []);
    assert_eq!(store.events(0, 10).unwrap(), []);
}

/// Makes every change once, each followed by the same again or a failure, and returns what should be logged.
fn all_changes(store: &dyn Store) -> Vec<(Change, &'static str, Option<&'static str>)> {
    let hardware = name("cpu");
    let new = ready_for_versions(store, &hardware);
    let mut target = new_hardware("cpu");
    target.reference = Some(reference(5.0));
    store.put_hardware(&target, "bob").unwrap();
    store.put_hardware(&target, "bob").unwrap();
    target.runtime = "another".to_owned();
    store.put_hardware(&target, "bob").unwrap_err();
    store.freeze_dataset(&hardware, &new_dataset(), b"content").unwrap();
    store.record_measurement(&measurement(&hardware, "net", 0)).unwrap();
    let mark = Exclusion {
        space: SPACE.to_owned(),
        digest: Digest::of(b"net"),
        round: 0,
        reason: "an outlier".to_owned(),
        evidence: serde_json::Value::Null,
    };
    for _ in 0..2 {
        store
            .exclude_measurements(&hardware, std::slice::from_ref(&mark), "bob")
            .unwrap();
    }
    store.count_predictions(&hardware, 3).unwrap();
    let version = store.create_version(&hardware, &new, Some("key")).unwrap();
    store.create_version(&hardware, &new, Some("key")).unwrap();
    store.move_alias(&hardware, &promote(1, 0)).unwrap();
    store.move_alias(&hardware, &promote(1, 0)).unwrap_err();
    store.move_alias(&hardware, &promote(1, 1)).unwrap();
    let webhook = super::webhooks::new_webhook("ci");
    store.create_webhook(&webhook, "bob", Some("key")).unwrap();
    store.create_webhook(&webhook, "bob", Some("key")).unwrap();
    store.delete_webhook(&webhook.id, "ann").unwrap();
    store.delete_webhook(&webhook.id, "ann").unwrap_err();

    for _ in 0..2 {
        store.create_job(&new_job(JobKind::Train), Some("key"), 9).unwrap();
    }
    let laptop = worker("laptop", &[JobKind::Train]);
    store.lease_job(&laptop).unwrap();
    let progress = Progress {
        done: 1,
        of: 2,
        note: String::new(),
    };
    store.heartbeat_job(1, 1, Some(&progress)).unwrap();
    store
        .checkpoint_job(1, 1, &serde_json::json!({"at": "a half"}))
        .unwrap();
    store.release_job(1, 1).unwrap();
    store.lease_job(&laptop).unwrap();
    for _ in 0..2 {
        store.cancel_job(1, "bob").unwrap();
    }
    store.finish_job(1, 2, &JobOutcome::Cancelled).unwrap();
    store.finish_job(1, 2, &JobOutcome::Cancelled).unwrap_err();

    let (job, job_kind) = (1, JobKind::Train);
    let moved = |generation, previous| Change::AliasMoved {
        hardware: hardware.clone(),
        alias: promote(1, 0).alias,
        version: 1,
        generation,
        previous,
        verdict: None,
        forced: false,
        rolled_back: false,
    };
    vec![
        (
            Change::HardwareCreated {
                hardware: hardware.clone(),
            },
            "ann",
            None,
        ),
        (
            Change::DatasetFrozen {
                hardware: hardware.clone(),
                dataset: Digest::of(b"content"),
            },
            "ann",
            None,
        ),
        (
            Change::ReferenceSet {
                hardware: hardware.clone(),
                reference: reference(5.0),
            },
            "bob",
            None,
        ),
        (
            Change::MeasurementsExcluded {
                hardware: hardware.clone(),
                measurements: vec![mark.key()],
            },
            "bob",
            None,
        ),
        (
            Change::VersionCreated {
                hardware: hardware.clone(),
                version: 1,
                digest: version.digest,
            },
            "ann",
            None,
        ),
        (moved(1, None), "ann", Some("better")),
        (moved(2, Some(1)), "ann", Some("better")),
        (
            Change::JobCreated {
                job,
                job_kind,
                hardware: hardware.clone(),
            },
            "ann",
            None,
        ),
        (
            Change::JobCancelRequested {
                job,
                job_kind,
                hardware: hardware.clone(),
            },
            Change::WebhookCreated {
                webhook: webhook.id.clone(),
            },
            "bob",
            None,
        ),
        (
            Change::JobEnded {
                job,
                job_kind,
                hardware: hardware.clone(),
                state: JobState::Cancelled,
            },
            "laptop",
            None,
        ),
        (Change::WebhookDeleted { webhook: webhook.id }, "ann", None),
    ]
}

fn one_each(store: &dyn Store) {
    let expected = all_changes(store);
    let entries = store.audit(0, 100).unwrap();
    let events = store.events(0, 100).unwrap();
    assert_eq!(entries.len(), expected.len());
    assert_eq!(events.len(), expected.len());
    for ((index, (entry, event)), (change, actor, reason)) in entries.iter().zip(&events).enumerate().zip(expected) {
        assert_eq!((entry.sequence, event.sequence), (index as u64 + 1, index as u64 + 1));
        assert_eq!((entry.actor.as_str(), entry.reason.as_deref()), (actor, reason));
        assert_eq!((&entry.change, &event.change), (&change, &change));
    }
}

fn chained(store: &dyn Store) {
    all_changes(store);
    let mut head = AuditHead::empty();
    for entry in store.audit(1, 100).unwrap() {
        assert_eq!(entry.previous, head.hash);
        assert_eq!(entry.hash, entry.expected_hash().unwrap());
        head = AuditHead {
            entries: entry.sequence,
            hash: entry.hash,
        };
    }
    assert_eq!(store.verify_audit().unwrap(), head);
}

fn pages(store: &dyn Store) {
    for index in 0..12 {
        store
            .put_hardware(&new_hardware(&format!("cpu-{index}")), "ann")
            .unwrap();
    }
    let sequences = |from, limit| -> Vec<u64> {
        store
            .audit(from, limit)
            .unwrap()
            .into_iter()
            .map(|entry| entry.sequence)
            .collect()
    };
    assert_eq!(sequences(0, 3), [1, 2, 3]);
    assert_eq!(sequences(9, 3), [9, 10, 11]);
    assert_eq!(sequences(12, usize::MAX), [12]);
    assert!(sequences(13, 3).is_empty());
    assert!(sequences(1, 0).is_empty());
    let events: Vec<_> = store
        .events(11, 5)
        .unwrap()
        .into_iter()
        .map(|event| event.sequence)
        .collect();
    assert_eq!(events, [11, 12]);
}
