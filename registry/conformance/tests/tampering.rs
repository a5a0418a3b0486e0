//! Edits behind the registry's back are found, and named for what they are.

use std::fs;
use std::path::{Path, PathBuf};

use lglp_registry::prelude::*;
use lglp_registry::{AuditEntry, AuditHead, Digest, Error, Exclusion, HolderInfo, SledStore, canonical_json, unpack};
use lglp_registry_conformance::edit;
use lglp_registry_conformance::fixtures::{SPACE, measurement, name, promote, ready_for_versions};
use serde_json::{Value, json};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, HolderInfo::default()).unwrap()
}

/// A registry with an entry of every kind: 1 target, 2 dataset, 3 measurements, 4 exclusion, 5 and 6 versions,
/// 7 and 8 moves.
fn registry() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let cpu = name("cpu");
    let new = ready_for_versions(&store, &cpu);
    let bulk: Vec<_> = (0..3)
        .map(|index| measurement(&cpu, &format!("net {index}"), 0))
        .collect();
    store.record_measurements(&bulk, "ann").unwrap();
    let mark = Exclusion {
        space: SPACE.to_owned(),
        digest: bulk[0].digest.clone(),
        replicate: 0,
        reason: "an outlier".to_owned(),
        evidence: Value::Null,
    };
    store.exclude_measurements(&cpu, &[mark], "ann").unwrap();
    store.create_version(&cpu, &new, None).unwrap();
    store.create_version(&cpu, &new, None).unwrap();
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    store.move_alias(&cpu, &promote(2, 1)).unwrap();
    assert_eq!(store.verify_audit().unwrap().entries, 8);
    drop(store);
    dir
}

fn key(sequence: u64) -> String {
    format!("audit/{sequence:020}")
}

/// A record as it lies in the database.
fn read<T: serde::de::DeserializeOwned>(db: &sled::Db, key: &str) -> T {
    let bytes = db.get(key).unwrap().unwrap();
    serde_json::from_slice(&unpack(&bytes).unwrap()).unwrap()
}

fn entry(db: &sled::Db, sequence: u64) -> AuditEntry {
    read(db, &key(sequence))
}

fn put(db: &sled::Db, key: &str, value: &impl serde::Serialize) {
    db.insert(key, canonical_json(value).unwrap()).unwrap();
}

/// Each edit, the entry that must be named, and the word for what happened to it.
#[test]
fn what_happened_to_the_audit_log_is_named() {
    type Edit = fn(&sled::Db);
    let cases: [(u64, &str, Edit); 9] = [
        (4, "changed", |db| {
            let mut forged = entry(db, 4);
            forged.actor = "mallory".to_owned();
            put(db, &key(4), &forged);
        }),
        (4, "changed", |db| drop(db.insert(key(4), "{").unwrap())),
        (3, "missing; the next one is entry 4", |db| {
            drop(db.remove(key(3)).unwrap())
        }),
        (2, "missing; the next one is entry 5", |db| {
            (2..5).for_each(|sequence| drop(db.remove(key(sequence)).unwrap()));
        }),
        (8, "missing, or the head", |db| drop(db.remove(key(8)).unwrap())),
        (9, "inserted, or the head", |db| {
            let mut forged = entry(db, 8);
            (forged.previous, forged.sequence) = (forged.hash.clone(), 9);
            forged.hash = forged.expected_hash().unwrap();
            put(db, &key(9), &forged);
        }),
        (5, "was inserted in its place", |db| {
            let forged = entry(db, 4);
            put(db, "audit/00000000000000000004a", &forged);
        }),
        (8, "the head was changed", |db| {
            let hash = Digest::of(b"forged");
            put(db, "audit-head", &AuditHead { entries: 8, hash });
        }),
        (5, "inserted or replaced", |db| {
            // Rehashed after the edit, so that it is sound by itself.
            let mut forged = entry(db, 4);
            forged.actor = "mallory".to_owned();
            forged.hash = forged.expected_hash().unwrap();
            put(db, &key(4), &forged);
        }),
    ];
    for (sequence, word, case) in cases {
        let dir = registry();
        edit(dir.path(), case);
        match open(dir.path()).verify_audit() {
            Err(Error::AuditBroken { sequence: at, reason }) => {
                assert!(
                    at == sequence && reason.contains(word),
                    "{sequence} {word}: {at} {reason}"
                );
            }
            other => panic!("{word} is noticed, got {other:?}"),
        }
    }
}

/// A log that was written anew from some entry on, chain, head and records alike, holds by itself.
#[test]
fn a_log_written_anew_differs_from_the_head_kept_elsewhere() {
    let dir = registry();
    let kept = open(dir.path()).verify_audit().unwrap();
    edit(dir.path(), |db| {
        let mut previous = entry(db, 6).hash;
        for sequence in 7..=8 {
            let mut forged = entry(db, sequence);
            forged.actor = "mallory".to_owned();
            forged.previous = previous;
            forged.hash = forged.expected_hash().unwrap();
            previous = forged.hash.clone();
            put(db, &key(sequence), &forged);
        }
        put(
            db,
            "audit-head",
            &AuditHead {
                entries: 8,
                hash: previous,
            },
        );
    });
    let store = open(dir.path());
    let head = store.verify_audit().expect("the chain holds");
    let found = store.audit(8, 1).unwrap().pop();
    let Err(Error::AuditBroken { sequence: 8, reason }) = head.continues(&kept, found.as_ref()) else {
        panic!("it is noticed")
    };
    assert!(reason.contains("written anew"), "{reason}");
    assert_eq!(kept.to_string().parse::<AuditHead>().unwrap(), kept);
    for bad in ["", "8", "8:", "x:sha256:", &format!("8:{}", kept.hash.hex())] {
        assert!(bad.parse::<AuditHead>().is_err(), "{bad}");
    }
}

#[test]
fn a_record_that_is_not_as_the_log_tells_is_named() {
    type Edit = fn(&sled::Db);
    const ALIAS: &str = "alias/cpu/production";
    let cases: [(&str, &str, Edit); 12] = [
        ("the measurements in recorded/", "audit entry 3", |db| {
            let (key, bytes) = db.scan_prefix("measurement/").next().unwrap().unwrap();
            let mut forged: Value = serde_json::from_slice(&unpack(&bytes).unwrap()).unwrap();
            forged["latency_ms"] = json!(0.1);
            db.insert(key, canonical_json(&forged).unwrap()).unwrap();
        }),
        ("recorded/00000000000000000003", "missing", |db| {
            drop(db.remove("recorded/00000000000000000003").unwrap());
            // Another one, so that it is no registry from before there were any.
            put(db, "recorded/00000000000000000099", &["x"; 0]);
        }),
        ("measurement/cpu/mobilenetv3/0000000007/", "no entry", |db| {
            let forged = measurement(&name("cpu"), "net 0", 7);
            put(
                db,
                &format!("measurement/cpu/mobilenetv3/0000000007/{}", forged.digest.hex()),
                &forged,
            );
        }),
        (ALIAS, "audit entry 8", |db| {
            let mut alias: Value = read(db, ALIAS);
            alias["version"] = json!(1);
            put(db, ALIAS, &alias);
        }),
        (ALIAS, "missing; audit entry 8", |db| drop(db.remove(ALIAS).unwrap())),
        ("alias/cpu/canary", "no entry", |db| {
            let alias = db.get(ALIAS).unwrap().unwrap();
            db.insert("alias/cpu/canary", alias).unwrap();
        }),
        ("version/cpu/0000000001", "audit entry 5", |db| {
            let record = json!({ "digest": Digest::of(b"another"), "created_at": "2024-01-31T12:00:00Z" });
            put(db, "version/cpu/0000000001", &record);
        }),
        ("version/cpu/0000000002", "missing; audit entry 6", |db| {
            drop(db.remove("version/cpu/0000000002").unwrap());
        }),
        ("version/cpu/0000000003", "no entry", |db| {
            let record = db.get("version/cpu/0000000002").unwrap().unwrap();
            db.insert("version/cpu/0000000003", record).unwrap();
        }),
        ("hardware/cpu", "audit entry 1", |db| {
            let mut target: Value = read(db, "hardware/cpu");
            target["settings"]["threads"] = json!(8);
            put(db, "hardware/cpu", &target);
        }),
        ("exclusion/", "missing; audit entry 4", |db| {
            let (key, _) = db.scan_prefix("exclusion/").next().unwrap().unwrap();
            db.remove(key).unwrap();
        }),
        ("measurement/cpu/mobilenetv3/", "missing; audit entry 3", |db| {
            let (key, _) = db.scan_prefix("measurement/").next().unwrap().unwrap();
            db.remove(key).unwrap();
        }),
    ];
    for (key, word, case) in cases {
        let dir = registry();
        edit(dir.path(), case);
        let store = open(dir.path());
        match store.verify_audit() {
            Err(Error::RecordDiffers { key: found, reason }) => {
                assert!(
                    found.starts_with(key) && reason.contains(word),
                    "{key}: {found} {reason}"
                );
            }
            other => panic!("{key} is noticed, got {other:?}"),
        }
        let findings = store.verify(&|_, _| {}).unwrap().findings;
        assert!(
            findings.iter().any(|finding| finding.subject.starts_with(key)),
            "{findings:?}"
        );
    }
}

/// A registry from before the log told of measurements is taken as it is, and the log says so.
#[test]
fn measurements_from_before_the_log_told_of_them_are_logged_on_opening() {
    let dir = tempfile::tempdir().unwrap();
    let cpu = name("cpu");
    drop({
        let store = open(dir.path());
        ready_for_versions(&store, &cpu);
        store
    });
    edit(dir.path(), |db| {
        for replicate in 0..2 {
            let earlier = measurement(&cpu, "net", replicate);
            let key = format!("measurement/cpu/mobilenetv3/{replicate:010}/{}", earlier.digest.hex());
            put(db, &key, &earlier);
        }
    });
    for _ in 0..2 {
        let store = open(dir.path());
        let entries = store.audit(3, 9).unwrap();
        let [entry] = entries.as_slice() else {
            panic!("one entry for both: {entries:?}")
        };
        assert_eq!((entry.after["count"].as_u64(), entry.actor.as_str()), (Some(2), "lglp"));
        store.verify_audit().unwrap();
    }
}

fn blob(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex())
}

/// Everything at once: a check that ended at the first finding would hide the others.
#[test]
fn verification_lists_every_finding() {
    let dir = registry();
    let store = open(dir.path());
    let version = store.version(&name("cpu"), 1).unwrap();
    drop(store);
    fs::write(blob(dir.path(), &version.content.artifacts["regressor"]), "forged").unwrap();
    fs::remove_file(blob(dir.path(), &version.content.training_log)).unwrap();
    fs::create_dir_all(dir.path().join("blobs/sha256/00")).unwrap();
    fs::write(dir.path().join("blobs/sha256/00/notes"), "x").unwrap();
    edit(dir.path(), |db| {
        db.insert("toaster/1", "{}").unwrap();
        let (measured, _) = db.scan_prefix("measurement/").next().unwrap().unwrap();
        db.insert(measured, "{}").unwrap();
        let mut forged = entry(db, 8);
        forged.reason = None;
        put(db, &key(8), &forged);
        let mut alias: Value = read(db, "alias/cpu/production");
        alias["version"] = json!(9);
        put(db, "alias/cpu/production", &alias);
    });
    let store = open(dir.path());
    let verification = store.verify(&|_, _| {}).unwrap();
    assert_eq!(verification.audit, None);
    let said: Vec<String> = verification
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.subject, finding.fault))
        .collect();
    for (subject, word) in [
        (version.content.artifacts["regressor"].as_str(), "corrupt"),
        ("version/cpu/0000000001", "missing"),
        ("00/notes", "not named as a blob"),
        ("toaster/1", "unknown"),
        ("measurement/cpu", "missing field"),
        ("audit entry 8", "changed"),
        ("alias/cpu/production", "version 9"),
    ] {
        assert!(
            said.iter().any(|line| line.contains(subject) && line.contains(word)),
            "{subject} {word} is not in {said:#?}"
        );
    }
    // A backup of it would be worth nothing.
    let refused = store.backup(&mut Vec::new());
    assert!(matches!(refused, Err(Error::CorruptRecord { .. })), "{refused:?}");
}
