use std::collections::BTreeSet;

use super::Check;
use super::fixtures::{
    SPACE, measurement, name, new_dataset, new_hardware, new_job, places, promote, ready_for_versions, reference,
    worker,
};
use lglp_registry::{
    AuditFilter, AuditFrom, AuditHead, AuditQuery, Change, Digest, Exclusion, HardwareTarget, JobKind, JobOutcome,
    JobState, Progress, Store, canonical_json,
};

pub(super) const CHECKS: &[Check] = &[
    ("an empty audit log verifies", empty),
    (
        "every change has one audit entry and one event, and a no-op has none",
        one_each,
    ),
    ("audit entries are chained", chained),
    ("audit entries and events are read in pages", pages),
    ("audit entries are found from either end and by hardware target", found),
    ("audit entries are found by kind, actor and time", filtered),
    (
        "each hardware target and space of a bulk has its own entry",
        one_for_each_space,
    ),
    ("an audit entry holds the record before and after", before_and_after),
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
    for _ in 0..2 {
        store
            .record_measurement(&measurement(&hardware, "net", 0), "bob")
            .unwrap();
    }
    let mark = Exclusion {
        space: SPACE.to_owned(),
        digest: Digest::of(b"net"),
        replicate: 0,
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
        store
            .create_job(&new_job(JobKind::Train), Some("key"), places(9))
            .unwrap();
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
            Change::MeasurementsRecorded {
                hardware: hardware.clone(),
                space: SPACE.to_owned(),
                replicates: BTreeSet::from([0]),
                count: 1,
                digest: Digest::of(&canonical_json(&[measurement(&hardware, "net", 0)]).unwrap()),
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
            Change::WebhookCreated {
                webhook: webhook.id.clone(),
            },
            "bob",
            None,
        ),
        (Change::WebhookDeleted { webhook: webhook.id }, "ann", None),
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

fn found(store: &dyn Store) {
    for index in 0..6 {
        let target = format!("cpu-{}", index % 2);
        let all = [measurement(&name(&target), &format!("net {index}"), 0)];
        store.put_hardware(&new_hardware(&target), "ann").unwrap();
        store.record_measurements(&all, "bob").unwrap();
    }
    // 1 and 3 create the targets; 2, 5, 7 are about cpu-0, the others about cpu-1.
    let find = |from, limit, hardware: Option<&str>| -> Vec<u64> {
        let hardware = hardware.map(name);
        let filter = AuditFilter {
            hardware,
            ..AuditFilter::default()
        };
        let query = AuditQuery { from, limit, filter };
        let entries = store.find_audit(&query).unwrap();
        entries.into_iter().map(|entry| entry.sequence).collect()
    };
    assert_eq!(find(AuditFrom::Sequence(2), 3, None), [2, 3, 4]);
    assert_eq!(find(AuditFrom::Before(u64::MAX), 3, None), [6, 7, 8]);
    assert_eq!(find(AuditFrom::Before(6), 3, None), [3, 4, 5]);
    assert_eq!(find(AuditFrom::Before(0), 3, None), [0; 0]);
    assert_eq!(find(AuditFrom::Sequence(2), 2, Some("cpu-0")), [2, 5]);
    assert_eq!(find(AuditFrom::Before(7), 3, Some("cpu-0")), [1, 2, 5]);
    assert_eq!(find(AuditFrom::Sequence(0), 9, Some("gpu")), [0; 0]);
}

fn filtered(store: &dyn Store) {
    for index in 0..4 {
        let target = format!("cpu-{index}");
        let all = [measurement(&name(&target), "net", 0)];
        store.put_hardware(&new_hardware(&target), "ann").unwrap();
        store
            .record_measurements(&all, if index < 2 { "ann" } else { "bob" })
            .unwrap();
    }
    // 1, 3, 5 and 7 create a target, 2, 4, 6 and 8 measure; 6 and 8 are bob's.
    let find = |from, limit, filter: AuditFilter| {
        let entries = store.find_audit(&AuditQuery { from, limit, filter });
        entries.map(|entries| entries.into_iter().map(|entry| entry.sequence).collect::<Vec<_>>())
    };
    let all = |filter| find(AuditFrom::Sequence(0), 99, filter).unwrap();
    let none = AuditFilter::default;
    let some = |text: &str| Some(text.to_owned());
    let kind = |kind| AuditFilter {
        kind: some(kind),
        ..none()
    };
    assert_eq!(all(kind("measurements_recorded")), [2, 4, 6, 8]);
    assert_eq!(all(kind("alias_moved")), [0; 0]);
    let error = find(AuditFrom::Sequence(0), 99, kind("measured"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("kind: ") && error.contains("measurements_recorded"),
        "{error}"
    );
    let actor = |actor| AuditFilter {
        actor: some(actor),
        ..none()
    };
    assert_eq!(all(actor("bob")), [6, 8]);
    assert_eq!(all(actor("bo")), [0; 0]);
    assert_eq!(find(AuditFrom::Before(u64::MAX), 2, actor("ann")).unwrap(), [5, 7]);
    let (third, sixth) = (
        store.audit(3, 1).unwrap().remove(0).at,
        store.audit(6, 1).unwrap().remove(0).at,
    );
    let (since, until) = (
        AuditFilter {
            since: some(&third),
            ..none()
        },
        AuditFilter {
            until: some(&sixth),
            ..none()
        },
    );
    assert_eq!(all(since.clone()), [3, 4, 5, 6, 7, 8]);
    assert_eq!(all(until), [1, 2, 3, 4, 5]);
    let both = AuditFilter {
        until: some(&sixth),
        actor: some("ann"),
        ..since
    };
    assert_eq!(all(both), [3, 4, 5]);
    let since = AuditFilter {
        since: some("yesterday"),
        ..none()
    };
    let error = find(AuditFrom::Sequence(0), 99, since).unwrap_err().to_string();
    assert!(error.starts_with("since: ") && error.contains("yesterday"), "{error}");
}

fn one_for_each_space(store: &dyn Store) {
    let (cpu, gpu) = (name("cpu"), name("gpu"));
    for target in ["cpu", "gpu"] {
        store.put_hardware(&new_hardware(target), "ann").unwrap();
    }
    let mut elsewhere = measurement(&cpu, "b", 2);
    elsewhere.space = "other".to_owned();
    let (a, b) = (measurement(&cpu, "a", 0), measurement(&cpu, "b", 1));
    let bulk = [b.clone(), measurement(&gpu, "a", 0), elsewhere, a.clone()];
    store.record_measurement(&a, "ann").unwrap();
    assert_eq!(store.record_measurements(&bulk, "bob").unwrap(), 3);
    let recorded: Vec<_> = store.audit(4, 9).unwrap();
    let said: Vec<_> = recorded
        .iter()
        .map(|entry| match &entry.change {
            Change::MeasurementsRecorded {
                hardware,
                space,
                replicates,
                count,
                digest,
            } => {
                assert_eq!(entry.after, serde_json::json!({ "count": count, "sha256": digest }));
                (hardware.as_str(), space.as_str(), replicates.first().copied(), *count)
            }
            other => panic!("expected measurements, got {other:?}"),
        })
        .collect();
    let expected = [
        ("cpu", SPACE, Some(1), 1),
        ("cpu", "other", Some(2), 1),
        ("gpu", SPACE, Some(0), 1),
    ];
    assert_eq!(said, expected);
    assert_eq!(store.events(4, 9).unwrap().len(), 3);
    store.verify_audit().unwrap();
}

fn before_and_after(store: &dyn Store) {
    let cpu = name("cpu");
    let before = store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let mut target = new_hardware("cpu");
    target.reference = Some(reference(5.0));
    let after = store.put_hardware(&target, "bob").unwrap();
    let entries = store.audit(1, 9).unwrap();
    let read = |value: &serde_json::Value| serde_json::from_value::<HardwareTarget>(value.clone()).ok();
    assert_eq!(
        (read(&entries[0].before), read(&entries[0].after)),
        (None, Some(before.clone()))
    );
    assert_eq!(
        (read(&entries[1].before), read(&entries[1].after)),
        (Some(before), Some(after))
    );
    assert_eq!(entries[1].change.hardware(), Some(&cpu));
}
