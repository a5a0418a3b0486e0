use serde_json::json;

use super::fixtures::{name, new_hardware, reference};
use super::{Check, conflict, invalid, not_found};
use crate::Store;

pub(super) const CHECKS: &[Check] = &[
    ("a hardware target is created once and read back", created_once),
    (
        "another description of a hardware target is a conflict naming the field",
        differences,
    ),
    ("a reference network is set once", reference_once),
    ("hardware targets are listed by name", listed),
];

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
