use serde_json::{Value, json};

use super::fixtures::{
    SPACE, measurement, name, new_dataset, new_hardware, new_job, new_validation, new_worker, places, promote,
    ready_for_versions,
};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{
    Agreement, AuditFilter, AuditFrom, AuditQuery, Change, Digest, Error, Exclusion, Expected, GateChange, GateRules,
    HardwareName, Intervention, JobKind, JobState, Quota, Store, WorkerName,
};

pub(super) const CHECKS: &[Check] = &[
    (
        "a deleted target takes all that belonged to it, and nothing else",
        deleted,
    ),
    ("a target that is created again begins anew", begun_anew),
    ("a renamed target keeps all that belongs to it", renamed),
    ("the measurements of one space are deleted by themselves", remeasured),
    ("what is in use is not deleted or renamed unless forced", in_use),
    ("who takes something back says why", why),
];

fn how(force: bool) -> Intervention {
    Intervention {
        actor: "ann".to_owned(),
        reason: "the unit was wrong".to_owned(),
        force,
    }
}

fn mark(architecture: &str) -> Exclusion {
    Exclusion {
        space: SPACE.to_owned(),
        digest: Digest::of(architecture.as_bytes()),
        replicate: 0,
        reason: "an outlier".to_owned(),
        evidence: Value::Null,
    }
}

/// A target with a record of every kind, in production.
fn furnished(store: &dyn Store, target: &str) -> HardwareName {
    let hardware = name(target);
    let new = ready_for_versions(store, &hardware);
    let mut defined = measurement(&hardware, "a", 0);
    defined.space_definition = Some(Digest::of(b"definition"));
    store.record_measurements(&[defined], "ann").unwrap();
    store
        .record_measurements(&[measurement(&hardware, "b", 0), measurement(&hardware, "a", 1)], "ann")
        .unwrap();
    let mut elsewhere = measurement(&hardware, "a", 0);
    elsewhere.space = "other".to_owned();
    store.record_measurement(&elsewhere, "ann").unwrap();
    store.exclude_measurements(&hardware, &[mark("b")], "ann").unwrap();
    store.count_predictions(&hardware, 7).unwrap();
    let version = store.create_version(&hardware, &new, Some("key")).unwrap();
    let report = new_validation(store, &version, None);
    store.create_validation(&hardware, &report, None).unwrap();
    store.move_alias(&hardware, &promote(1, 0)).unwrap();
    let change = GateChange {
        rules: GateRules::default(),
        expected_generation: Expected::Generation(0),
        actor: "ann".to_owned(),
        reason: String::new(),
    };
    store.set_gate(&hardware, &change).unwrap();
    store.add_agreement(&hardware, &Agreement::between(1, 2)).unwrap();
    hardware
}

/// A worker that has measured for a target.
fn signed_off(store: &dyn Store, name: &str, hardware: &str) -> WorkerName {
    let worker = new_worker(name, hardware);
    store.register_worker(&worker, None, Quota::NONE, "ann").unwrap();
    store.sign_off_worker(&worker.name, &worker.instance).unwrap();
    worker.name
}

/// Everything that a target has, but for its name and for when it was made.
fn belongings(store: &dyn Store, hardware: &HardwareName) -> impl PartialEq + std::fmt::Debug + use<> {
    let nameless = |mut value: Value| {
        if let Some(record) = value.as_object_mut() {
            record.remove("hardware");
        }
        value
    };
    let spaces = store.measured_spaces(hardware).unwrap();
    let mut records: Vec<Value> = Vec::new();
    for space in &spaces {
        let measured = store.measurements(hardware, &space.space, None).unwrap();
        records.push(json!(
            measured.into_iter().map(|one| nameless(json!(one))).collect::<Vec<_>>()
        ));
        records.push(json!(store.exclusions(hardware, &space.space).unwrap()));
    }
    records.extend(store.datasets(hardware).unwrap().iter().map(|one| nameless(json!(one))));
    records.extend(store.versions(hardware).unwrap().iter().map(|one| nameless(json!(one))));
    records.extend(store.aliases(hardware).unwrap().iter().map(|one| nameless(json!(one))));
    records.extend(
        store
            .validations(hardware, None)
            .unwrap()
            .iter()
            .map(|one| nameless(json!(one))),
    );
    records.extend(store.agreements(hardware).unwrap().iter().map(|one| json!(one)));
    (
        records,
        store.gate(hardware).unwrap(),
        store.traffic(hardware).unwrap(),
        store.predictions_served(hardware).unwrap(),
        spaces,
    )
}

#[track_caller]
fn is_sound(store: &dyn Store) {
    store.verify_audit().unwrap();
    assert_eq!(store.verify(&|_, _| {}).unwrap().findings, []);
}

fn deleted(store: &dyn Store) {
    // One's name begins as the other's does.
    let (cpu, other) = (furnished(store, "cpu"), furnished(store, "cpu-2"));
    let before = belongings(store, &other);
    store.delete_hardware(&cpu, &how(true)).unwrap();
    assert_eq!(not_found(store.hardware(&cpu)).0, "hardware target");
    assert_eq!(not_found(store.versions(&cpu)).0, "hardware target");
    assert_eq!(belongings(store, &other), before);
    is_sound(store);
    let entry = store.audit(store.verify_audit().unwrap().entries, 1).unwrap().remove(0);
    assert_eq!(entry.change, Change::HardwareDeleted { hardware: cpu.clone() });
    assert_eq!(
        (entry.actor.as_str(), entry.reason.as_deref()),
        ("ann", Some("the unit was wrong"))
    );
    assert_eq!(entry.before["name"], "cpu", "what was deleted is told");
    assert_eq!(not_found(store.delete_hardware(&cpu, &how(true))).0, "hardware target");
}

fn begun_anew(store: &dyn Store) {
    let cpu = furnished(store, "cpu");
    let train = || {
        store
            .create_job(&new_job(JobKind::Train), Some("key"), places(9))
            .unwrap()
    };
    let job = train().id;
    store.cancel_job(job, "ann").unwrap();
    let worker = signed_off(store, "lab-1", "cpu");
    store.delete_hardware(&cpu, &how(true)).unwrap();
    assert_eq!(
        not_found(store.worker(&worker)).0,
        "worker",
        "nobody measures for the next one yet"
    );
    let mut new = ready_for_versions(store, &cpu);
    assert_eq!(store.measured_spaces(&cpu).unwrap(), []);
    assert_eq!(store.predictions_served(&cpu).unwrap(), 0);
    assert_eq!(store.aliases(&cpu).unwrap(), []);
    // Another definition than before, and another version by the same key.
    let mut measured = measurement(&cpu, "a", 0);
    measured.space_definition = Some(Digest::of(b"another definition"));
    store.record_measurement(&measured, "ann").unwrap();
    new.seed = 9;
    assert_eq!(store.create_version(&cpu, &new, Some("key")).unwrap().version, 1);
    assert_ne!(train().id, job, "what the first one was answered is over");
    is_sound(store);
}

fn renamed(store: &dyn Store) {
    let (cpu, other) = (furnished(store, "cpu"), furnished(store, "cpu-2"));
    let (xeon, untouched) = (name("xeon"), belongings(store, &other));
    let before = belongings(store, &cpu);
    let worker = signed_off(store, "lab-1", "cpu");
    let target = store.rename_hardware(&cpu, &xeon, &how(true)).unwrap();
    assert_eq!(target.name, xeon);
    assert_eq!(store.hardware(&xeon).unwrap(), target);
    assert_eq!(store.worker(&worker).unwrap().hardware, xeon);
    assert_eq!(belongings(store, &xeon), before);
    assert_eq!(belongings(store, &other), untouched);
    assert_eq!(not_found(store.hardware(&cpu)).0, "hardware target");
    is_sound(store);
    // It goes on under its new name, and the old one is free.
    store.record_measurement(&measurement(&xeon, "c", 0), "ann").unwrap();
    store.exclude_measurements(&xeon, &[mark("c")], "ann").unwrap();
    furnished(store, "cpu");
    is_sound(store);
    assert_eq!(
        conflict(store.rename_hardware(&xeon, &other, &how(true))),
        "description"
    );
    assert_eq!(invalid(store.rename_hardware(&xeon, &xeon, &how(true))), "to");
    // Both names find the entry.
    for hardware in [cpu, xeon] {
        let query = AuditQuery {
            from: AuditFrom::Sequence(0),
            limit: 9,
            filter: AuditFilter {
                hardware: Some(hardware),
                kind: Some("hardware_renamed".to_owned()),
                ..AuditFilter::default()
            },
        };
        assert_eq!(store.find_audit(&query).unwrap().len(), 1);
    }
}

fn remeasured(store: &dyn Store) {
    let cpu = furnished(store, "cpu");
    let count = store.measurements(&cpu, SPACE, None).unwrap().len();
    assert_eq!(store.delete_measurements(&cpu, SPACE, &how(true)).unwrap(), count);
    assert_eq!(store.measurements(&cpu, SPACE, None).unwrap(), []);
    assert_eq!(store.exclusions(&cpu, SPACE).unwrap(), []);
    assert_eq!(store.measurements(&cpu, "other", None).unwrap().len(), 1);
    assert_eq!(store.versions(&cpu).unwrap().len(), 1, "what was trained stays");
    is_sound(store);
    // By another definition and with another latency.
    let mut again = measurement(&cpu, "a", 0);
    again.latency_ms *= 1000.0;
    again.space_definition = Some(Digest::of(b"another definition"));
    store.record_measurement(&again, "ann").unwrap();
    is_sound(store);
    let entries = store.verify_audit().unwrap().entries;
    assert_eq!(invalid(store.delete_measurements(&cpu, "third", &how(true))), "space");
    assert_eq!(store.verify_audit().unwrap().entries, entries, "nothing happened");
}

fn in_use(store: &dyn Store) {
    let cpu = furnished(store, "cpu");
    let xeon = name("xeon");
    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: lglp_registry::Result<T>, by: &str) {
        match result {
            Err(Error::InUse { reason, .. }) => assert!(reason.contains(by), "{reason}"),
            other => panic!("expected it to be in use, got {other:?}"),
        }
    }
    let production = "version 1 is in production";
    refused(store.delete_hardware(&cpu, &how(false)), production);
    refused(store.rename_hardware(&cpu, &xeon, &how(false)), production);
    refused(store.delete_measurements(&cpu, SPACE, &how(false)), production);
    let job = store.create_job(&new_job(JobKind::Train), None, places(9)).unwrap();
    assert_eq!(job.hardware, cpu);
    refused(store.delete_hardware(&cpu, &how(true)), "cancel it first");
    refused(store.rename_hardware(&cpu, &xeon, &how(true)), "cancel it first");
    refused(store.delete_measurements(&cpu, SPACE, &how(true)), "cancel it first");
    assert_eq!(store.cancel_job(job.id, "ann").unwrap().state, JobState::Cancelled);
    store.rename_hardware(&cpu, &xeon, &how(true)).unwrap();
    assert_eq!(store.job(job.id).unwrap().hardware, cpu, "history stays as it was");

    let idle = name("idle");
    store.put_hardware(&new_hardware("idle"), "ann").unwrap();
    store.freeze_dataset(&idle, &new_dataset(), b"content").unwrap();
    let worker = new_worker("lab-1", "idle");
    store.register_worker(&worker, None, Quota::NONE, "ann").unwrap();
    refused(store.delete_hardware(&idle, &how(false)), "worker lab-1");
    store.sign_off_worker(&worker.name, &worker.instance).unwrap();
    store.delete_hardware(&idle, &how(false)).unwrap();
    is_sound(store);
}

fn why(store: &dyn Store) {
    let cpu = furnished(store, "cpu");
    let silent = Intervention {
        reason: String::new(),
        ..how(true)
    };
    let unknown = Intervention {
        actor: String::new(),
        ..how(true)
    };
    assert_eq!(invalid(store.delete_hardware(&cpu, &silent)), "reason");
    assert_eq!(invalid(store.delete_measurements(&cpu, SPACE, &silent)), "reason");
    assert_eq!(invalid(store.rename_hardware(&cpu, &name("xeon"), &unknown)), "actor");
}
