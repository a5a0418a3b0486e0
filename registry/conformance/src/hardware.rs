use serde_json::json;

use super::fixtures::{name, new_hardware, reference};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Digest, Error, HardwareName, Quota, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a hardware target is created once and read back", created_once),
    (
        "another description of a hardware target is a conflict naming the field",
        differences,
    ),
    ("a reference network is set once", reference_once),
    ("hardware targets are listed by name", listed),
    ("one author creates as many hardware targets as it may", within_a_quota),
    ("no description is larger than it may be", limited),
    (
        "of a hardware target that is not there, nothing else is said to be missing",
        nowhere,
    ),
];

/// Whoever mistyped the target's name was told that there was no such version.
fn nowhere(store: &dyn Store) {
    let (target, other) = (name("cpu"), name("nowhere"));
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let (alias, digest) = ("production".parse().unwrap(), Digest::of(b"x"));
    let missing = |hardware: &HardwareName| {
        [
            not_found(store.version(hardware, 1)).0,
            not_found(store.alias(hardware, &alias)).0,
            not_found(store.dataset(hardware, &digest)).0,
            not_found(store.validation(hardware, 1)).0,
        ]
    };
    assert_eq!(missing(&target), ["version", "alias", "dataset", "validation"]);
    assert_eq!(missing(&other), ["hardware target"; 4]);
}

fn created_once(store: &dyn Store) {
    let new = new_hardware("cpu");
    assert_eq!(
        not_found(store.hardware(&new.name)),
        ("hardware target", "cpu".to_owned())
    );
    let target = store.put_hardware(&new, "ann").unwrap();
    assert_eq!(
        (&target.name, &target.settings, &target.fingerprint),
        (&new.name, &new.settings, &new.fingerprint)
    );
    assert_eq!(store.hardware(&new.name).unwrap(), target);
    assert_eq!(
        store.put_hardware(&new, "bob").unwrap(),
        target,
        "the same again is a no-op"
    );
    assert_eq!(invalid(store.put_hardware(&new, "")), "actor");
}

fn differences(store: &dyn Store) {
    let new = new_hardware("cpu");
    let target = store.put_hardware(&new, "ann").unwrap();
    let mut other = new.clone();
    other.settings.insert("threads".to_owned(), json!(8));
    assert_eq!(conflict(store.put_hardware(&other, "ann")), "settings");
    other = new.clone();
    other.fingerprint = json!({"cpu": "another"});
    assert_eq!(conflict(store.put_hardware(&other, "ann")), "fingerprint");
    other = new.clone();
    other.runtime = "tensorrt".to_owned();
    assert_eq!(conflict(store.put_hardware(&other, "ann")), "runtime");
    assert_eq!(store.hardware(&new.name).unwrap(), target);
}

fn reference_once(store: &dyn Store) {
    let mut new = new_hardware("cpu");
    store.put_hardware(&new, "ann").unwrap();
    new.reference = Some(reference(f64::NAN));
    assert_eq!(invalid(store.put_hardware(&new, "ann")), "reference.latency_ms");
    let mut faulty = reference(5.0);
    faulty.larger[0].latency_ms = -1.0;
    new.reference = Some(faulty);
    assert_eq!(
        invalid(store.put_hardware(&new, "ann")),
        "reference.larger.0.latency_ms"
    );
    new.reference = Some(reference(5.0));
    let target = store.put_hardware(&new, "ann").unwrap();
    assert_eq!(target.reference, new.reference);
    assert_eq!(
        store.put_hardware(&new_hardware("cpu"), "ann").unwrap(),
        target,
        "it is not taken away"
    );
    new.reference = Some(reference(6.0));
    assert_eq!(conflict(store.put_hardware(&new, "ann")), "reference");
    assert_eq!(store.hardware(&new.name).unwrap(), target);
}

fn listed(store: &dyn Store) {
    assert_eq!(store.hardware_targets().unwrap(), []);
    for text in ["b", "a", "a-b", "a.b"] {
        store.put_hardware(&new_hardware(text), "ann").unwrap();
    }
    let names: Vec<_> = store
        .hardware_targets()
        .unwrap()
        .into_iter()
        .map(|target| target.name)
        .collect();
    assert_eq!(names, ["a", "a-b", "a.b", "b"].map(name));
}

fn within_a_quota(store: &dyn Store) {
    let two = Quota {
        targets: 2,
        ..Quota::NONE
    };
    let put = |text: &str, actor: &str| store.put_hardware_within(two, &new_hardware(text), actor);
    assert_eq!(put("a", "ann").unwrap().created_by, "ann");
    put("b", "ann").unwrap();
    let refused = put("c", "ann").unwrap_err();
    assert!(matches!(refused, Error::QuotaReached { limit: 2, .. }), "{refused}");
    assert_eq!(not_found(store.hardware(&name("c"))).0, "hardware target");
    put("a", "ann").expect("what is there is not created again");
    put("c", "bob").expect("another author has its own");
    store.put_hardware(&new_hardware("d"), "ann").expect("without a quota");
}

fn limited(store: &dyn Store) {
    let large = "x".repeat(1 << 20);
    let mut new = new_hardware("cpu");
    new.fingerprint = json!({ "cpu": large });
    assert_eq!(invalid(store.put_hardware(&new, "ann")), "fingerprint");
    new = new_hardware("cpu");
    new.settings.insert("threads".to_owned(), json!(large));
    assert_eq!(invalid(store.put_hardware(&new, "ann")), "settings");
    new = new_hardware("cpu");
    new.runtime = large.clone();
    assert_eq!(invalid(store.put_hardware(&new, "ann")), "runtime");
    assert_eq!(invalid(store.put_hardware(&new_hardware("cpu"), &large)), "actor");
    assert_eq!(store.audit(1, 9).unwrap(), []);
}
