//! Which folders open, and for whom.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use lglp_registry::prelude::*;
use lglp_registry::{Error, Holder, HolderInfo, Result, SledStore, holder, unpack};
use lglp_registry_conformance::edit;
use lglp_registry_conformance::fixtures::{SPACE, measurement, name, new_hardware, ready_for_versions};

fn info() -> HolderInfo {
    HolderInfo {
        address: Some("http://127.0.0.1:8080".to_owned()),
        command: "lglp serve".to_owned(),
    }
}

fn open(dir: &Path) -> Result<SledStore> {
    SledStore::open(dir, info())
}

#[test]
fn a_second_opener_is_told_who_holds_the_registry() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let me = Holder {
        pid: std::process::id(),
        address: info().address,
        command: info().command,
    };
    let Err(Error::Locked {
        holder: Some(found),
        dir: at,
    }) = open(dir.path())
    else {
        panic!("it is locked")
    };
    assert_eq!((found, at.as_path()), (me.clone(), dir.path()));
    assert_eq!(holder(dir.path()).unwrap(), Some(me));
    drop(store);
    assert_eq!(holder(dir.path()).unwrap(), None);
    assert!(!dir.path().join("holder.json").exists());
    open(dir.path()).unwrap();
}

#[test]
fn the_message_of_a_locked_registry_reads_well() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path()).unwrap();
    let message = open(dir.path()).unwrap_err().to_string();
    let pid = std::process::id();
    let holder = format!("is in use by process {pid} (lglp serve) at http://127.0.0.1:8080");
    assert!(message.ends_with(&holder), "{message}");
}

/// What a killed holder left behind is neither believed nor in the way.
#[test]
fn a_stale_holder_file_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    for stale in [
        r#"{"pid": 1, "address": "http://127.0.0.1:1", "command": "gone"}"#,
        "{",
        "",
    ] {
        fs::write(dir.path().join("holder.json"), stale).unwrap();
        assert_eq!(holder(dir.path()).unwrap(), None);
        let store = open(dir.path()).unwrap();
        assert_eq!(holder(dir.path()).unwrap().unwrap().command, "lglp serve");
        drop(store);
    }
}

/// The lock is asked for in a moment, so a holder who asks often must not keep others out.
#[test]
fn asking_for_the_holder_does_not_lock_others_out() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                holder(dir.path()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let result = (0..5).try_for_each(|_| open(dir.path()).map(drop));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        result.unwrap();
    });
}

#[test]
fn a_missing_folder_is_created_and_reopens_with_its_records() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a/b");
    assert_eq!(holder(&dir).unwrap(), None);
    let target = open(&dir).unwrap().put_hardware(&new_hardware("cpu"), "ann").unwrap();
    for _ in 0..20 {
        assert_eq!(open(&dir).unwrap().hardware(&name("cpu")).unwrap(), target);
    }
}

#[test]
fn a_folder_with_anything_else_is_refused_and_left_alone() {
    for (file, content) in [
        ("notes.txt", "x"),
        ("db/db", "x"),
        ("blobs/sha256/aa", "x"),
        ("blobs/x", ""),
        ("db", "x"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let before = fs::read_dir(dir.path()).unwrap().count();
        assert!(matches!(open(dir.path()), Err(Error::NotARegistry { .. })), "{file}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before, "{file}");
    }
}

#[test]
fn a_format_of_tomorrow_or_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let format = dir.path().join("format.json");
    fs::write(&format, r#"{"format": "lglp-registry", "version": 3, "more": true}"#).unwrap();
    assert!(matches!(
        open(dir.path()),
        Err(Error::NewerFormat {
            found: 3,
            supported: 2,
            ..
        })
    ));
    for other in [
        r#"{"format": "lglp-registry", "version": 0}"#,
        r#"{"format": "x", "version": 1}"#,
        "",
        "[]",
    ] {
        fs::write(&format, other).unwrap();
        assert!(matches!(open(dir.path()), Err(Error::NotARegistry { .. })), "{other}");
    }
}

/// In format 1 all records lay as JSON. They are read as they lie, and the folder says from then on that it may hold packed
/// ones.
#[test]
fn a_registry_of_the_format_before_is_read_and_becomes_one_of_this_format() {
    let dir = tempfile::tempdir().unwrap();
    let cpu = name("cpu");
    let store = open(dir.path()).unwrap();
    ready_for_versions(&store, &cpu);
    let architectures: Vec<String> = (0..40).map(|number| format!("net {number}")).collect();
    let measured = |replicate| -> Vec<_> {
        architectures
            .iter()
            .map(|net| measurement(&cpu, net, replicate))
            .collect()
    };
    store.record_measurements(&measured(0), "ann").unwrap();
    let head = store.verify_audit().unwrap();
    drop(store);

    edit(dir.path(), |db| {
        let records: Vec<_> = db.iter().map(|record| record.unwrap()).collect();
        let mut packed = 0;
        for (key, record) in &records {
            let json = unpack(record).unwrap();
            packed += usize::from(json.len() > record.len());
            db.insert(key, &*json).unwrap();
        }
        assert!(packed > 40, "{packed} of {} records lay packed", records.len());
    });
    let format = dir.path().join("format.json");
    fs::write(&format, r#"{"format": "lglp-registry", "version": 1}"#).unwrap();

    let store = open(dir.path()).unwrap();
    assert_eq!(store.verify_audit().unwrap(), head);
    store.record_measurements(&measured(1), "ann").unwrap();
    let found = store.measurements(&cpu, SPACE, None).unwrap();
    assert_eq!(found.len(), 80);
    assert!(
        found
            .iter()
            .all(|found| *found == measurement(&cpu, &found.architecture, found.replicate))
    );
    assert_eq!(store.verify(&|_, _| {}).unwrap().findings, []);
    let text = fs::read_to_string(format).unwrap();
    assert!(text.contains(r#""version":2"#), "{text}");
}

/// sled calls a database corrupt over a snapshot or a configuration that it was killed over.
#[test]
fn what_sled_was_killed_over_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let target = open(dir.path())
        .unwrap()
        .put_hardware(&new_hardware("cpu"), "ann")
        .unwrap();
    let db = dir.path().join("db");
    for half in [b"".as_slice(), b"half a snapshot"] {
        fs::write(db.join("snap.FFFFFFFFFFFFFFFF.generating"), half).unwrap();
        assert_eq!(open(dir.path()).unwrap().hardware(&name("cpu")).unwrap(), target);
    }
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let db = dir.path().join("db");
    let whole = fs::read(db.join("conf")).unwrap();
    fs::remove_dir_all(&db).unwrap();
    fs::create_dir(&db).unwrap();
    for length in [0, 1, 30, whole.len() - 4] {
        fs::write(db.join("conf"), &whole[..length]).unwrap();
        let opened = open(dir.path());
        assert!(opened.is_ok(), "cut at {length}: {opened:?}");
        drop(opened);
        fs::remove_file(db.join("db")).unwrap();
    }
}

/// Making them anew would hide that the records are gone.
#[test]
fn a_registry_that_lost_its_database_or_blobs_is_refused() {
    for part in ["db", "blobs"] {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()).unwrap());
        fs::remove_dir_all(dir.path().join(part)).unwrap();
        assert!(matches!(open(dir.path()), Err(Error::NotARegistry { .. })), "{part}");
    }
}

#[test]
fn two_processes_that_create_one_registry_at_once_do_not_clash() {
    if let Some(dir) = std::env::var_os("LGLP_REGISTRY_OPENER") {
        let outcome = match open(Path::new(&dir)) {
            Ok(store) => {
                store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
                "ok".to_owned()
            }
            Err(Error::Locked { .. }) => "ok".to_owned(),
            Err(other) => format!("failed: {other}"),
        };
        writeln!(std::io::stdout(), "\nopened {outcome}").unwrap();
        return;
    }
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let this = "two_processes_that_create_one_registry_at_once_do_not_clash";
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command
                    .args(["--exact", this, "--nocapture"])
                    .env("LGLP_REGISTRY_OPENER", dir.path());
                command.stdout(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.lines().any(|line| line == "opened ok"), "{text}");
        }
        open(dir.path()).unwrap();
    }
}
