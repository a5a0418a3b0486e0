use std::collections::BTreeSet;
use std::thread;

use super::fixtures::{SPACE, name, new_hardware, predicting_energy, ready_for_versions};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Digest, Error, Golden, Imported, NewVersion, Quantity, Store, canonical_json};

pub(super) const CHECKS: &[Check] = &[
    ("versions are numbered from 1 on each hardware target", numbered),
    ("an idempotency key gives the same version again", idempotent),
    ("a version names only what exists", complete),
    ("a version that breaks a rule is refused", refused),
    ("a version remembers the registries that it came through", imported),
    ("a version says what it predicts", quantity),
    (
        "versions created by many threads are numbered without a gap",
        many_threads,
    ),
];

fn with_seed(base: &NewVersion, seed: u64) -> NewVersion {
    NewVersion { seed, ..base.clone() }
}

fn numbered(store: &dyn Store) {
    let (cpu, gpu) = (name("cpu"), name("gpu"));
    let base = ready_for_versions(store, &cpu);
    ready_for_versions(store, &gpu);
    let mut all = vec![];
    for number in 1..=12 {
        let content = with_seed(&base, u64::from(number));
        let version = store.create_version(&cpu, &content, None).unwrap();
        assert_eq!((version.version, &version.hardware), (number, &cpu));
        assert_eq!(version.digest, Digest::of(&canonical_json(&content).unwrap()));
        assert_eq!(version.content, content);
        assert_eq!(store.version(&cpu, number).unwrap(), version);
        all.push(version);
    }
    assert_eq!(store.versions(&cpu).unwrap(), all);
    assert_eq!(store.versions(&gpu).unwrap(), []);
    assert_eq!(store.create_version(&gpu, &base, None).unwrap().version, 1);
    assert_eq!(not_found(store.version(&cpu, 13)), ("version", "13".to_owned()));
    not_found(store.versions(&name("npu")));
}

fn idempotent(store: &dyn Store) {
    let (cpu, gpu) = (name("cpu"), name("gpu"));
    let base = ready_for_versions(store, &cpu);
    ready_for_versions(store, &gpu);
    let version = store.create_version(&cpu, &base, Some("key/1")).unwrap();
    assert_eq!(store.create_version(&cpu, &base, Some("key/1")).unwrap(), version);
    assert_eq!(
        conflict(store.create_version(&cpu, &with_seed(&base, 1), Some("key/1"))),
        "content"
    );
    assert_eq!(store.create_version(&cpu, &base, Some("key/2")).unwrap().version, 2);
    assert_eq!(store.create_version(&cpu, &base, None).unwrap().version, 3);
    assert_eq!(
        store
            .create_version(&gpu, &with_seed(&base, 1), Some("key/1"))
            .unwrap()
            .version,
        1
    );
    for bad in ["", "a b", "ä", &"x".repeat(256)] {
        assert_eq!(invalid(store.create_version(&cpu, &base, Some(bad))), "idempotency_key");
    }
    assert_eq!(store.versions(&cpu).unwrap().len(), 3);
}

fn complete(store: &dyn Store) {
    let (cpu, gpu) = (name("cpu"), name("gpu"));
    let base = ready_for_versions(store, &cpu);
    let missing = |new: &NewVersion| match store.create_version(&cpu, new, None) {
        Err(Error::MissingBlob { field, .. }) => field,
        other => panic!("expected a missing blob, got {other:?}"),
    };
    let mut new = base.clone();
    new.artifacts.insert("extractor".to_owned(), Digest::of(b"never put"));
    assert_eq!(missing(&new), "artifacts.extractor");
    new = base.clone();
    new.training_log = Digest::of(b"never put");
    assert_eq!(missing(&new), "training_log");
    new = base.clone();
    new.dataset = Digest::of(b"never frozen");
    assert_eq!(not_found(store.create_version(&cpu, &new, None)).0, "dataset");
    assert_eq!(not_found(store.create_version(&gpu, &base, None)).0, "hardware target");
    store.put_hardware(&new_hardware("gpu"), "ann").unwrap();
    assert_eq!(
        not_found(store.create_version(&gpu, &base, None)).0,
        "dataset",
        "one of another target"
    );
    assert_eq!(store.versions(&cpu).unwrap(), []);
}

fn refused(store: &dyn Store) {
    let cpu = name("cpu");
    let base = ready_for_versions(store, &cpu);
    let mut new = base.clone();
    new.space = format!("{SPACE}-large");
    assert_eq!(
        invalid(store.create_version(&cpu, &new, None)),
        "space",
        "not the dataset's"
    );
    new = base.clone();
    new.metrics.insert("mape".to_owned(), f64::NAN);
    assert_eq!(invalid(store.create_version(&cpu, &new, None)), "metrics.mape");
    new = base.clone();
    new.residuals.push(f64::INFINITY);
    assert_eq!(invalid(store.create_version(&cpu, &new, None)), "residuals.2");
    assert_eq!(store.versions(&cpu).unwrap(), []);
}

fn imported(store: &dyn Store) {
    let cpu = name("cpu");
    let fitted_here = ready_for_versions(store, &cpu);
    let text = String::from_utf8(canonical_json(&fitted_here).unwrap()).unwrap();
    assert!(
        !text.contains("imported"),
        "versions from before there were imports keep their digest"
    );
    let origin = Imported {
        hardware: name("gpu"),
        version: 7,
        digest: Digest::of(b"there"),
        creator: "bob".to_owned(),
        created_at: "2024-01-31T12:00:00Z".to_owned(),
        bundle: Digest::of(b"bundle"),
    };
    let mut new = fitted_here;
    new.imported = vec![origin.clone()];
    let version = store.create_version(&cpu, &new, None).unwrap();
    assert_eq!(store.version(&cpu, version.version).unwrap().content.imported, [origin]);
    new.imported[0].creator = String::new();
    assert_eq!(invalid(store.create_version(&cpu, &new, None)), "imported.0.creator");
    new.imported[0].creator = "bob".to_owned();
    new.imported[0].created_at = "yesterday".to_owned();
    assert_eq!(invalid(store.create_version(&cpu, &new, None)), "imported.0.created_at");
}

fn quantity(store: &dyn Store) {
    let cpu = name("cpu");
    let latency = ready_for_versions(store, &cpu);
    let text = String::from_utf8(canonical_json(&latency).unwrap()).unwrap();
    assert!(!text.contains("quantity"), "versions of before keep their digest");
    let golden = |quantity: Quantity| Golden {
        architecture: "net".to_owned(),
        predicted: quantity.amount(0.5),
    };
    let mut new = predicting_energy(&latency);
    new.golden = vec![golden(Quantity::Energy)];
    let version = store.create_version(&cpu, &new, None).unwrap().version;
    assert_eq!(store.version(&cpu, version).unwrap().content, new);
    new.golden = vec![golden(Quantity::Latency)];
    assert_eq!(invalid(store.create_version(&cpu, &new, None)), "golden.0");
    new.quantity = Quantity::Latency;
    let text = String::from_utf8(canonical_json(&new).unwrap()).unwrap();
    assert!(
        text.contains(r#""golden":[{"architecture":"net","latency_ms":0.5}]"#),
        "{text}"
    );
}

fn many_threads(store: &dyn Store) {
    let cpu = name("cpu");
    let base = ready_for_versions(store, &cpu);
    let create = |seed| {
        let base = &base;
        let cpu = &cpu;
        move || {
            store
                .create_version(cpu, &with_seed(base, seed), Some(&format!("key-{seed}")))
                .unwrap()
                .version
        }
    };
    // Every key is used by two threads.
    let numbers: BTreeSet<u32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|index| scope.spawn(create(index % 4))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(numbers, BTreeSet::from([1, 2, 3, 4]));
}
