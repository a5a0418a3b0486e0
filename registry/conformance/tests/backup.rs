//! Backups: whole, of one moment, and restored wholly or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use lglp_registry::prelude::*;
use lglp_registry::{Error, HolderInfo, NewVersion, SledStore, check_backup};
use lglp_registry_conformance::fixtures::{SPACE, measurement, name, promote, ready_for_versions};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, HolderInfo::default()).unwrap()
}

fn filled(dir: &Path) -> SledStore {
    let store = open(dir);
    let cpu = name("cpu");
    let mut new = ready_for_versions(&store, &cpu);
    let large: Vec<u8> = (0..2_000_000u32).map(|index| (index % 251) as u8).collect();
    new.artifacts
        .insert("extractor".to_owned(), store.put_blob(&large).unwrap());
    let bulk: Vec<_> = (0..1500)
        .map(|index| measurement(&cpu, &format!("net {index}"), 0))
        .collect();
    store.record_measurements(&bulk, "ann").unwrap();
    store.create_version(&cpu, &new, Some("key")).unwrap();
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    store.count_predictions(&cpu, 7).unwrap();
    store.put_blob(b"named by nothing").unwrap();
    store
}

fn backup(store: &SledStore) -> Vec<u8> {
    let mut archive = Vec::new();
    store.backup(&mut archive).unwrap();
    archive
}

#[test]
fn a_restored_registry_is_the_one_that_was_backed_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("a"));
    let archive = backup(&store);
    let restored = dir.path().join("b");
    let manifest = SledStore::restore(&restored, &mut archive.as_slice()).unwrap();
    assert!(!dir.path().join("b.restoring").exists());
    let copy = open(&restored);
    assert_eq!(copy.verify_audit().unwrap(), store.verify_audit().unwrap());
    assert_eq!(copy.verify_audit().unwrap(), manifest.audit);
    let cpu = name("cpu");
    assert_eq!(copy.versions(&cpu).unwrap(), store.versions(&cpu).unwrap());
    assert_eq!(copy.aliases(&cpu).unwrap(), store.aliases(&cpu).unwrap());
    assert_eq!(
        copy.measurements(&cpu, SPACE, None).unwrap(),
        store.measurements(&cpu, SPACE, None).unwrap()
    );
    assert_eq!(copy.predictions_served(&cpu).unwrap(), 7);
    // Repeated requests are answered as before, and the log goes on.
    let first = copy.version(&cpu, 1).unwrap();
    assert_eq!(copy.create_version(&cpu, &first.content, Some("key")).unwrap(), first);
    copy.move_alias(&cpu, &promote(1, 1)).unwrap();
    assert_eq!(copy.verify(&|_, _| {}).unwrap().findings, []);
    // Times of files apart, a backup of the same is the same.
    drop(copy);
    let again = dir.path().join("c");
    SledStore::restore(&again, &mut archive.as_slice()).unwrap();
    let (a, b) = (backup(&store), backup(&open(&again)));
    let part = |archive: &[u8]| check_backup(&mut &*archive).unwrap();
    assert_eq!((part(&a).records, part(&a).blobs), (part(&b).records, part(&b).blobs));
}

#[test]
fn only_an_empty_or_missing_folder_is_restored_into() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("a"));
    let archive = backup(&store);
    let taken = dir.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("notes.txt"), "mine").unwrap();
    for dir in [&taken, &dir.path().join("a")] {
        let refused = SledStore::restore(dir, &mut archive.as_slice());
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1);
    // Nor is anything removed that only has the name of what an interrupted restoration leaves.
    let foreign = dir.path().join("new.restoring");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    assert!(SledStore::restore(dir.path().join("new"), &mut archive.as_slice()).is_err());
    assert!(foreign.join("notes.txt").exists());
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    SledStore::restore(&empty, &mut archive.as_slice()).unwrap();
}

#[test]
fn a_corrupt_or_cut_backup_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("a"));
    let archive = backup(&store);
    let target = dir.path().join("b");
    let refused = |archive: &[u8], what: &str| {
        let refused = SledStore::restore(&target, &mut &*archive);
        assert!(matches!(refused, Err(Error::BadBackup { .. })), "{what}: {refused:?}");
        assert!(!target.exists() && !dir.path().join("b.restoring").exists(), "{what}");
    };
    for length in [0, 600, archive.len() / 3, archive.len() - 1500] {
        refused(&archive[..length], &format!("cut at {length}"));
    }
    let place = |text: &[u8]| archive.windows(text.len()).position(|window| window == text).unwrap();
    for (text, what) in [
        (b"\"latency_ms\":0.3".as_slice(), "a measurement"),
        (b"\"entries\":".as_slice(), "the manifest"),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9], "a blob"),
    ] {
        let mut damaged = archive.clone();
        damaged[place(text) + text.len() - 1] ^= 1;
        refused(&damaged, what);
    }
    refused(b"no archive at all", "no archive");
    SledStore::restore(&target, &mut archive.as_slice()).unwrap();
}

/// What a killed restoration left is neither a registry nor in the way.
#[test]
fn an_interrupted_restoration_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("a"));
    let archive = backup(&store);
    let left = dir.path().join("b.restoring");
    fs::create_dir_all(left.join("blobs/sha256/00")).unwrap();
    fs::create_dir_all(left.join("db")).unwrap();
    fs::write(left.join("db/db"), "half").unwrap();
    fs::write(left.join("lock"), "").unwrap();
    assert!(matches!(
        SledStore::open(&left, HolderInfo::default()),
        Err(Error::NotARegistry { .. })
    ));
    SledStore::restore(dir.path().join("b"), &mut archive.as_slice()).unwrap();
    assert!(!left.exists());
    open(&dir.path().join("b")).verify_audit().unwrap();
}

/// Promotions, versions and measurements go on while the backup is written, into a pipe that takes its time.
#[test]
fn a_backup_of_a_registry_in_use_is_of_one_moment() {
    struct Slow<'a>(Vec<u8>, &'a SledStore, u64);
    impl Write for Slow<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // A writer that had to wait for the backup would wait for itself here.
            self.2 += 1;
            if self.2.is_multiple_of(16) {
                self.1.put_blob(&self.2.to_le_bytes()).unwrap();
                self.1.count_predictions(&name("cpu"), 1).unwrap();
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("a"));
    let cpu = name("cpu");
    let base = store.version(&cpu, 1).unwrap().content;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for step in 0u64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let training_log = store.put_blob(format!("log {step}").as_bytes()).unwrap();
                let new = NewVersion {
                    training_log,
                    ..base.clone()
                };
                let version = store.create_version(&cpu, &new, None).unwrap().version;
                store.move_alias(&cpu, &promote(version, step + 1)).unwrap();
                store
                    .record_measurement(&measurement(&cpu, &format!("live {step}"), 0), "ann")
                    .unwrap();
            }
        });
        for round in 0..3 {
            let mut out = Slow(Vec::new(), &store, 0);
            store.backup(&mut out).unwrap();
            let target = dir.path().join(format!("b{round}"));
            let manifest = SledStore::restore(&target, &mut out.0.as_slice()).unwrap();
            let copy = open(&target);
            assert_eq!(copy.verify_audit().unwrap(), manifest.audit);
            let production = copy.alias(&cpu, &"production".parse().unwrap()).unwrap();
            assert!(production.version <= copy.versions(&cpu).unwrap().len() as u32);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(store.versions(&cpu).unwrap().len() > 3, "the writer wrote meanwhile");
}
