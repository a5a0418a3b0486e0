use serde_json::json;

use super::fixtures::{SPACE, measurement, name, new_hardware};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Digest, Exclusion, HardwareName, Store};

pub(super) const CHECKS: &[Check] = &[
    ("an excluded measurement is marked, not removed", marked),
    ("exclusions are recorded wholly or not at all, and once", all_or_none),
];

fn measured(store: &dyn Store) -> HardwareName {
    let hardware = store.put_hardware(&new_hardware("cpu"), "ann").unwrap().name;
    for replicate in [0, 1] {
        store
            .record_measurement(&measurement(&hardware, "net", replicate), "ann")
            .unwrap();
    }
    hardware
}

fn exclusion(replicate: u32) -> Exclusion {
    Exclusion {
        space: SPACE.to_owned(),
        digest: Digest::of(b"net"),
        replicate,
        reason: "40 % above the prediction".to_owned(),
        evidence: json!({ "predicted_ms": 1.0 / 3.0 }),
    }
}

fn marked(store: &dyn Store) {
    let hardware = measured(store);
    let before = store.measurements(&hardware, SPACE, None).unwrap();
    assert_eq!(store.exclusions(&hardware, SPACE).unwrap(), []);
    assert_eq!(
        store.exclude_measurements(&hardware, &[exclusion(0)], "ann").unwrap(),
        1
    );
    assert_eq!(store.exclusions(&hardware, SPACE).unwrap(), [exclusion(0)]);
    assert_eq!(store.exclusions(&hardware, "another").unwrap(), []);
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), before);
}

fn all_or_none(store: &dyn Store) {
    let hardware = measured(store);
    let exclude = |exclusions: &[Exclusion]| store.exclude_measurements(&hardware, exclusions, "ann");
    assert_eq!(not_found(exclude(&[exclusion(0), exclusion(7)])).0, "measurement");
    let silent = Exclusion {
        reason: String::new(),
        ..exclusion(0)
    };
    assert_eq!(invalid(exclude(&[exclusion(1), silent])), "exclusions.1.reason");
    assert_eq!(
        invalid(store.exclude_measurements(&hardware, &[exclusion(0)], "")),
        "actor"
    );
    assert_eq!(store.exclusions(&hardware, SPACE).unwrap(), []);
    assert_eq!(exclude(&[exclusion(0), exclusion(1)]).unwrap(), 2);
    assert_eq!(exclude(&[exclusion(0)]).unwrap(), 0, "a retry is a no-op");
    let otherwise = Exclusion {
        reason: "a whim".to_owned(),
        ..exclusion(0)
    };
    assert_eq!(conflict(exclude(&[otherwise])), "reason");
    not_found(store.exclude_measurements(&name("gpu"), &[exclusion(0)], "ann"));
    not_found(store.exclusions(&name("gpu"), SPACE));
}
