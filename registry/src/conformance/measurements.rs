use super::fixtures::{SPACE, measurement, name, new_hardware};
use super::{Check, conflict, invalid, not_found};
use crate::{Digest, HardwareName, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a measurement reads back as the very same numbers", exact),
    ("a measurement is never overwritten", never_overwritten),
    ("a bulk of measurements is recorded wholly or not at all", all_or_none),
    ("a measurement that breaks a rule is refused", refused),
    (
        "measurements are listed by round and digest, of one target and space",
        listed,
    ),
];

fn target(store: &dyn Store, text: &str) -> HardwareName {
    store.put_hardware(&new_hardware(text), "ann").unwrap().name
}

fn exact(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let mut new = measurement(&hardware, "net", 0);
    new.flags = vec!["noisy \"neighbour\"\n".to_owned()];
    for (index, sample) in new.samples.iter_mut().enumerate() {
        sample.wall_ms = 1.0 / (index as f64 + 3.0);
        sample.cpu_ms = f64::MIN_POSITIVE * (index as f64 + 1.0);
    }
    store.record_measurement(&new, "ann").unwrap();
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), [new]);
}

fn never_overwritten(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let new = measurement(&hardware, "net", 0);
    assert_eq!(store.record_measurements(std::slice::from_ref(&new), "ann").unwrap(), 1);
    assert_eq!(
        store.record_measurements(std::slice::from_ref(&new), "ann").unwrap(),
        0,
        "a retry is a no-op"
    );
    let mut other = new.clone();
    other.latency_ms = 9.0;
    assert_eq!(conflict(store.record_measurement(&other, "ann")), "latency_ms");
    other = new.clone();
    other.samples.pop();
    assert_eq!(conflict(store.record_measurement(&other, "ann")), "samples");
    assert_eq!(store.measurements(&hardware, SPACE, Some(0)).unwrap(), [new]);
    other.round = 1;
    store.record_measurement(&other, "ann").unwrap();
    assert_eq!(store.measurements(&hardware, SPACE, Some(1)).unwrap(), [other]);
}

fn all_or_none(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let old = measurement(&hardware, "old", 0);
    store.record_measurement(&old, "ann").unwrap();
    let mut clash = old.clone();
    clash.latency_ms = 9.0;
    let new = measurement(&hardware, "new", 0);
    conflict(store.record_measurements(&[new.clone(), clash], "ann"));
    let mut twice = new.clone();
    twice.process = "run-2".to_owned();
    assert_eq!(
        conflict(store.record_measurements(&[new.clone(), twice], "ann")),
        "process",
        "a clash within the bulk"
    );
    not_found(store.record_measurements(&[new.clone(), measurement(&name("gpu"), "new", 0)], "ann"));
    assert_eq!(
        store.measurements(&hardware, SPACE, None).unwrap(),
        std::slice::from_ref(&old)
    );
    assert_eq!(store.record_measurements(&[new.clone(), old, new], "ann").unwrap(), 1);
    assert_eq!(store.record_measurements(&[], "ann").unwrap(), 0);

    let many: Vec<_> = (0..2000)
        .map(|index| measurement(&hardware, &format!("net {index}"), 3))
        .collect();
    assert_eq!(store.record_measurements(&many, "ann").unwrap(), 2000);
    assert_eq!(store.measured_digests(&hardware, SPACE, 3).unwrap().len(), 2000);
}

fn refused(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let good = measurement(&hardware, "net", 0);
    let mut bad = good.clone();
    bad.digest = Digest::of(b"another");
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "digest");
    for latency in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        bad = good.clone();
        bad.latency_ms = latency;
        assert_eq!(invalid(store.record_measurement(&bad, "ann")), "latency_ms");
    }
    bad = good.clone();
    bad.samples[1].cpu_ms = f64::NAN;
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "samples.cpu_ms");
    bad = good.clone();
    bad.space = "a/b".to_owned();
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "space");
    bad = good.clone();
    bad.measured_at = "yesterday".to_owned();
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "measured_at");
    not_found(store.record_measurement(&measurement(&name("gpu"), "net", 0), "ann"));
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), []);
}

fn listed(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let neighbour = target(store, "cpu-2");
    let mut all = vec![];
    for round in [10, 0, 2] {
        for architecture in ["x", "y", "z"] {
            all.push(measurement(&hardware, architecture, round));
        }
    }
    store.record_measurements(&all, "ann").unwrap();
    let mut elsewhere = measurement(&neighbour, "w", 0);
    store.record_measurement(&elsewhere, "ann").unwrap();
    (elsewhere.hardware, elsewhere.space) = (hardware.clone(), format!("{SPACE}-large"));
    store.record_measurement(&elsewhere, "ann").unwrap();

    all.sort_by(|a, b| (a.round, &a.digest).cmp(&(b.round, &b.digest)));
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), all);
    assert_eq!(store.measurements(&hardware, SPACE, Some(2)).unwrap(), all[3..6]);
    assert_eq!(store.measurements(&hardware, SPACE, Some(1)).unwrap(), []);
    let digests: Vec<_> = store
        .measured_digests(&hardware, SPACE, 10)
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(
        digests,
        all[6..]
            .iter()
            .map(|measurement| measurement.digest.clone())
            .collect::<Vec<_>>()
    );
    not_found(store.measurements(&name("gpu"), SPACE, None));
    not_found(store.measured_digests(&name("gpu"), SPACE, 0));
    assert_eq!(
        invalid(store.measurements(&hardware, "mobilenetv3/0000000002", None)),
        "space"
    );
}
