//! Damage on disk is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use lglp_registry::prelude::*;
use lglp_registry::{AuditEntry, AuditHead, Digest, Error, HolderInfo, SledStore, canonical_json, unpack};
use lglp_registry_conformance::edit;
use lglp_registry_conformance::fixtures::{SPACE, measurement, name, new_hardware, promote, ready_for_versions};
use serde_json::Value;

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, HolderInfo::default()).unwrap()
}

fn blob(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex())
}

#[test]
fn a_corrupt_blob_is_never_returned_and_can_be_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let digest = store.put_blob(b"a fitted model").unwrap();
    let file = blob(dir.path(), &digest);
    for damaged in [b"a fitted modeL".as_slice(), b"a fitted", b""] {
        fs::write(&file, damaged).unwrap();
        let Err(Error::CorruptBlob {
            file: named,
            expected,
            found,
        }) = store.get_blob(&digest)
        else {
            panic!("the damage is noticed")
        };
        assert_eq!(
            (named, &expected, found),
            (file.display().to_string(), &digest, Digest::of(damaged))
        );
    }
    store.put_blob(b"a fitted model").unwrap();
    assert_eq!(store.get_blob(&digest).unwrap(), b"a fitted model");
}

#[test]
fn a_version_is_not_created_from_a_corrupt_blob_and_a_damaged_one_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let cpu = name("cpu");
    let new = ready_for_versions(&store, &cpu);
    fs::write(blob(dir.path(), &new.artifacts["regressor"]), b"x").unwrap();
    assert!(matches!(
        store.create_version(&cpu, &new, None),
        Err(Error::CorruptBlob { .. })
    ));
    store.put_blob(b"regressor").unwrap();
    let version = store.create_version(&cpu, &new, None).unwrap();
    let content = blob(dir.path(), &version.digest);
    let edited = String::from_utf8(fs::read(&content).unwrap())
        .unwrap()
        .replace("0.3000", "0.1000");
    fs::write(content, edited).unwrap();
    assert!(matches!(store.version(&cpu, 1), Err(Error::CorruptBlob { .. })));
    assert!(matches!(store.versions(&cpu), Err(Error::CorruptBlob { .. })));
}

#[test]
fn half_written_blobs_are_removed_on_open() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let left = dir.path().join("blobs/tmp/7");
    fs::write(&left, b"half").unwrap();
    open(dir.path());
    assert!(!left.exists());
}

#[test]
fn a_record_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let cpu = name("cpu");
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    store.record_measurement(&measurement(&cpu, "net", 0), "ann").unwrap();
    drop(store);
    // Whole JSON of something else; what says that it is packed, and is cut, or is not.
    for damaged in [&b"{}"[..], b"\x01", b"\x01{}", b"\x01\x28\xb5\x2f\xfd\x20\x10rest"] {
        edit(dir.path(), |db| {
            let (key, _) = db.scan_prefix("measurement/").next().unwrap().unwrap();
            db.insert(key, damaged).unwrap();
        });
        let store = open(dir.path());
        let Err(Error::CorruptRecord { key, .. }) = store.measurements(&cpu, SPACE, None) else {
            panic!("it cannot be read")
        };
        assert!(key.starts_with("measurement/cpu/mobilenetv3/0000000000/"), "{key}");
        let findings = store.verify(&|_, _| {}).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.subject == key), "{findings:?}");
    }
}

/// A record as it lies in the database.
fn read<T: serde::de::DeserializeOwned>(db: &sled::Db, key: &str) -> T {
    let bytes = db.get(key).unwrap().unwrap();
    serde_json::from_slice(&unpack(&bytes).unwrap()).unwrap()
}

/// A registry with six audit entries.
fn audited(dir: &Path) {
    let store = open(dir);
    let cpu = name("cpu");
    let new = ready_for_versions(&store, &cpu);
    store.create_version(&cpu, &new, None).unwrap();
    for generation in 0..3 {
        store.move_alias(&cpu, &promote(1, generation)).unwrap();
    }
    assert_eq!(store.verify_audit().unwrap().entries, 6);
}

fn key(sequence: u64) -> String {
    format!("audit/{sequence:020}")
}

fn broken_at(dir: &Path) -> u64 {
    match open(dir).verify_audit() {
        Err(Error::AuditBroken { sequence, .. }) => sequence,
        other => panic!("the edit is noticed, got {other:?}"),
    }
}

/// Every field of every entry, one at a time.
#[test]
fn an_edited_audit_entry_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    audited(dir.path());
    for sequence in 1..=6 {
        for field in [
            "sequence", "at", "actor", "reason", "change", "previous", "hash", "added",
        ] {
            let mut original = None;
            edit(dir.path(), |db| {
                let bytes = db.get(key(sequence)).unwrap().unwrap();
                let mut entry: Value = read(db, &key(sequence));
                entry[field] = match field {
                    "sequence" => 9.into(),
                    "change" => serde_json::json!({"kind": "hardware_created", "hardware": "other"}),
                    "previous" | "hash" => Digest::of(b"forged").as_str().into(),
                    _ => "forged".into(),
                };
                db.insert(key(sequence), canonical_json(&entry).unwrap()).unwrap();
                original = Some(bytes);
            });
            assert_eq!(broken_at(dir.path()), sequence, "{field}");
            edit(dir.path(), |db| {
                drop(db.insert(key(sequence), original.unwrap()).unwrap())
            });
        }
    }
    open(dir.path()).verify_audit().unwrap();
}

#[test]
fn an_audit_entry_rehashed_after_an_edit_breaks_the_next() {
    let dir = tempfile::tempdir().unwrap();
    audited(dir.path());
    edit(dir.path(), |db| {
        let mut entry: AuditEntry = read(db, &key(4));
        entry.actor = "mallory".to_owned();
        entry.hash = entry.expected_hash().unwrap();
        db.insert(key(4), canonical_json(&entry).unwrap()).unwrap();
    });
    assert_eq!(broken_at(dir.path()), 5);
}

#[test]
fn missing_and_swapped_audit_entries_are_noticed() {
    type Edit = fn(&sled::Db);
    let cases: [(u64, Edit); 4] = [
        (1, |db| drop(db.remove(key(1)).unwrap())),
        (3, |db| drop(db.remove(key(3)).unwrap())),
        (6, |db| drop(db.remove(key(6)).unwrap())),
        (2, |db| {
            let (second, third) = (db.get(key(2)).unwrap().unwrap(), db.get(key(3)).unwrap().unwrap());
            db.insert(key(2), third).unwrap();
            db.insert(key(3), second).unwrap();
        }),
    ];
    for (sequence, case) in cases {
        let dir = tempfile::tempdir().unwrap();
        audited(dir.path());
        edit(dir.path(), case);
        assert_eq!(broken_at(dir.path()), sequence);
    }
}

/// A forger who cuts the log, its recorded end and the record alike is caught by the end that was noted elsewhere.
#[test]
fn a_log_cut_short_with_its_head_differs_from_the_head_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    audited(dir.path());
    let kept = open(dir.path()).verify_audit().unwrap();
    edit(dir.path(), |db| {
        let [fifth, sixth] = [5, 6].map(|sequence| -> AuditEntry { read(db, &key(sequence)) });
        db.remove(key(6)).unwrap();
        assert_eq!(read::<Value>(db, "alias/cpu/production"), sixth.after);
        db.insert("alias/cpu/production", canonical_json(&fifth.after).unwrap())
            .unwrap();
        db.insert(
            "audit-head",
            canonical_json(&AuditHead {
                entries: 5,
                hash: fifth.hash,
            })
            .unwrap(),
        )
        .unwrap();
    });
    let store = open(dir.path());
    let head = store.verify_audit().unwrap();
    let entry = store.audit(kept.entries, 1).unwrap().pop();
    let Err(Error::AuditBroken { sequence: 6, reason }) = head.continues(&kept, entry.as_ref()) else {
        panic!("the cut is noticed")
    };
    assert!(reason.contains("cut short"), "{reason}");
    head.continues(&head, store.audit(5, 1).unwrap().first()).unwrap();
    head.continues(&AuditHead::empty(), None).unwrap();
}
