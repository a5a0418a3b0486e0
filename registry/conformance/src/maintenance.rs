use std::time::Duration;

use super::fixtures::{measurement, name, promote, ready_for_versions};
use super::{Check, invalid, not_found};
use lglp_registry::{Change, Collected, Digest, Error, HardwareName, NewVersion, Store, check_backup};

pub(super) const CHECKS: &[Check] = &[
    ("a store takes writes until one could not be made durable", writable),
    ("a sound registry verifies without a finding", sound),
    ("blobs that nothing names are collected, others never", collected),
    ("young blobs are kept, and putting one again makes it young", young),
    (
        "a blob is named by whatever record or named blob holds its digest",
        followed,
    ),
    ("collecting tells the audit log what it removed", told),
    ("a backup is whole and of one moment", backed_up),
];

const NOW: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);

fn in_production(store: &dyn Store) -> (HardwareName, NewVersion) {
    let cpu = name("cpu");
    let new = ready_for_versions(store, &cpu);
    store.create_version(&cpu, &new, None).unwrap();
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    store.record_measurement(&measurement(&cpu, "net", 0), "ann").unwrap();
    (cpu, new)
}

fn writable(store: &dyn Store) {
    store.check_writable().unwrap();
    in_production(store);
    store.check_writable().unwrap();
}

fn sound(store: &dyn Store) {
    assert_eq!(store.verify(&|_, _| {}).unwrap().findings, []);
    in_production(store);
    let told = std::cell::Cell::new((0, 0));
    let verification = store.verify(&|done, total| told.set((done, total))).unwrap();
    assert_eq!(verification.findings, []);
    assert_eq!(verification.audit, Some(store.verify_audit().unwrap()));
    // The dataset, the fitted state, the log and the content of the version.
    assert_eq!(verification.blobs, 4);
    assert!(verification.records > 10 && verification.bytes > 100);
    let (done, total) = told.get();
    assert_eq!(done, total);
}

fn collected(store: &dyn Store) {
    let (cpu, new) = in_production(store);
    let orphan = store.put_blob(b"left by a training that was killed").unwrap();
    let expected = Collected { count: 1, bytes: 34 };
    assert_eq!(store.collect_blobs(NOW, true, "bob").unwrap(), expected);
    assert!(store.get_blob(&orphan).is_ok(), "a dry run removes nothing");
    assert_eq!(store.collect_blobs(NOW, false, "bob").unwrap(), expected);
    assert_eq!(not_found(store.get_blob(&orphan)).0, "blob");
    assert_eq!(store.collect_blobs(NOW, false, "bob").unwrap(), Collected::default());
    for digest in [&new.artifacts["regressor"], &new.training_log, &new.dataset] {
        store.get_blob(digest).unwrap();
    }
    store.version(&cpu, 1).unwrap();
    assert_eq!(store.verify(&|_, _| {}).unwrap().findings, []);
    // What was collected can be put again.
    store.put_blob(b"left by a training that was killed").unwrap();
    store.get_blob(&orphan).unwrap();
}

fn young(store: &dyn Store) {
    let (cpu, new) = in_production(store);
    let old = store.put_blob(b"regressor 2").unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    store.put_blob(b"log 2").unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(store.collect_blobs(HOUR, false, "bob").unwrap(), Collected::default());
    store.put_blob(b"regressor 2").unwrap();
    assert_eq!(store.collect_blobs(second, false, "bob").unwrap(), Collected::default());
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(store.collect_blobs(second, false, "bob").unwrap().count, 2);
    let mut next = new;
    next.artifacts.insert("extractor".to_owned(), old);
    let Err(Error::MissingBlob { field, .. }) = store.create_version(&cpu, &next, None) else {
        panic!("the blob was collected")
    };
    assert_eq!(field, "artifacts.extractor");
}

fn followed(store: &dyn Store) {
    let (cpu, mut new) = in_production(store);
    let plot = store.put_blob(b"<svg/>").unwrap();
    let report = store.put_blob(format!("{{\"plot\":\"{plot}\"}}").as_bytes()).unwrap();
    new.recipe["report"] = report.as_str().into();
    store.create_version(&cpu, &new, None).unwrap();
    assert_eq!(store.collect_blobs(NOW, false, "bob").unwrap(), Collected::default());
    store.get_blob(&plot).unwrap();
}

fn told(store: &dyn Store) {
    in_production(store);
    store.put_blob(b"1").unwrap();
    store.put_blob(b"22").unwrap();
    assert_eq!(invalid(store.collect_blobs(NOW, false, "")), "actor");
    let before = store.verify_audit().unwrap().entries;
    store.collect_blobs(NOW, true, "bob").unwrap();
    store.collect_blobs(NOW, false, "bob").unwrap();
    store.collect_blobs(NOW, false, "bob").unwrap();
    let entries = store.audit(before + 1, 9).unwrap();
    let [entry] = entries.as_slice() else {
        panic!("one removal, one entry: {entries:?}")
    };
    assert_eq!(entry.change, Change::BlobsCollected { count: 2, bytes: 3 });
    assert_eq!(entry.actor, "bob");
    store.verify_audit().unwrap();
}

fn backed_up(store: &dyn Store) {
    in_production(store);
    let orphan = store.put_blob(b"named by nothing").unwrap();
    let mut archive = Vec::new();
    store.backup(&mut archive).unwrap();
    let manifest = check_backup(&mut archive.as_slice()).unwrap();
    assert_eq!(manifest.audit, store.verify_audit().unwrap());
    assert_eq!(manifest.records.count, store.verify(&|_, _| {}).unwrap().records);
    let blobs: Vec<&Digest> = manifest.blobs.iter().map(|blob| &blob.digest).collect();
    assert!(blobs.len() == 4 && !blobs.contains(&&orphan));
    for length in [0, 1, 700, archive.len() / 2, archive.len() - 1100] {
        let cut = check_backup(&mut &archive[..length]);
        assert!(matches!(cut, Err(Error::BadBackup { .. })), "cut at {length}: {cut:?}");
    }
}
