use super::fixtures::{name, new_validation, predicting_energy, ready_for_versions};
use super::{Check, invalid, not_found};
use lglp_registry::{Digest, Error, NewValidation, Store, Version};

pub(super) const CHECKS: &[Check] = &[
    ("reports are numbered from 1 and never change", numbered),
    ("a report agrees with its version and with the measurements", agrees),
    ("a report is created once for a key", once),
];

fn version(store: &dyn Store) -> Version {
    let cpu = name("cpu");
    let new = ready_for_versions(store, &cpu);
    store.create_version(&cpu, &new, None).unwrap()
}

fn numbered(store: &dyn Store) {
    let first = version(store);
    let cpu = first.hardware.clone();
    let second = store.create_version(&cpu, &first.content, None).unwrap();
    assert_eq!(not_found(store.validation(&cpu, 1)), ("validation", "1".to_owned()));
    assert_eq!(store.validations(&cpu, None).unwrap(), []);
    let reports: Vec<_> = [&first, &second, &first]
        .into_iter()
        .map(|version| {
            let new = new_validation(store, version, None);
            store.create_validation(&cpu, &new, None).unwrap()
        })
        .collect();
    let numbers: Vec<u32> = reports.iter().map(|report| report.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(store.validations(&cpu, None).unwrap(), reports);
    let of_first = store.validations(&cpu, Some(1)).unwrap();
    assert_eq!(of_first, [reports[0].clone(), reports[2].clone()]);
    assert_eq!(store.validation(&cpu, 2).unwrap(), reports[1]);
    assert_eq!(not_found(store.validations(&name("gpu"), None)).0, "hardware target");
}

fn agrees(store: &dyn Store) {
    let version = version(store);
    let energy = store
        .create_version(&version.hardware, &predicting_energy(&version.content), None)
        .unwrap();
    let new = new_validation(store, &energy, None);
    assert_eq!(
        invalid(store.create_validation(&version.hardware, &new, None)),
        "version",
        "of energy"
    );
    let cpu = version.hardware.clone();
    let good = new_validation(store, &version, None);
    let with = |edit: &dyn Fn(&mut NewValidation)| {
        let mut new = good.clone();
        edit(&mut new);
        new
    };
    for (field, new) in [
        ("version_digest", with(&|new| new.version_digest = Digest::of(b"other"))),
        ("space", with(&|new| new.space = "other".to_owned())),
        ("dataset", with(&|new| new.dataset = Digest::of(b"other"))),
        ("pairs", with(&|new| new.pairs.clear())),
        ("pairs.1.measured_ms", with(&|new| new.pairs[1].measured_ms *= 2.0)),
        ("pairs.2.measured_ms", with(&|new| new.pairs[2].replicate = 1)),
        ("finished_at", with(&|new| new.finished_at = "yesterday".to_owned())),
        ("creator", with(&|new| new.creator.clear())),
        (
            "metrics.mape",
            with(&|new| *new.metrics.get_mut("mape").unwrap() = f64::NAN),
        ),
    ] {
        assert_eq!(invalid(store.create_validation(&cpu, &new, None)), field);
    }
    let unknown = with(&|new| new.version = 9);
    assert_eq!(not_found(store.create_validation(&cpu, &unknown, None)).0, "version");
    let missing = store.create_validation(&cpu, &with(&|new| new.scatter = Digest::of(b"none")), None);
    assert!(matches!(missing, Err(Error::MissingBlob { .. })), "{missing:?}");
    assert_eq!(store.validations(&cpu, None).unwrap(), []);
}

fn once(store: &dyn Store) {
    let version = version(store);
    let cpu = version.hardware.clone();
    let new = new_validation(store, &version, None);
    let first = store.create_validation(&cpu, &new, Some("k")).unwrap();
    assert_eq!(store.create_validation(&cpu, &new, Some("k")).unwrap(), first);
    assert_eq!(store.create_validation(&cpu, &new, None).unwrap().number, 2);
}
