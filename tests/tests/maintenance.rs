//! Looking after a registry through the program: the audit log, backups, checks, removal of blobs, a full disk.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use lglp_tests::{HARDWARE, Registry, Server, agent, readable, root};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn predict(server: &Server) -> Value {
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn put_orphan(registry: &Registry, content: &str) -> PathBuf {
    let server = registry.serve();
    let (status, stored) = server.post("/v1/blobs", content);
    assert_eq!(status, 201, "{stored}");
    let hex = stored["digest"].as_str().expect("a digest")[7..].to_owned();
    registry.path().join("blobs/sha256").join(&hex[..2]).join(hex)
}

fn make_old(path: &Path) {
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    File::open(path)
        .and_then(|file| file.set_modified(yesterday))
        .expect("a time");
}

/// One registry through all of it, alone and while a server holds it.
#[test]
#[ignore = "takes long"]
fn a_registry_is_audited_backed_up_checked_and_cleaned_alone_and_under_a_server() {
    let registry = Registry::with_production("gbdt");
    let elsewhere = registry.folder.path().join("head");
    let head = registry.ok(&["audit", "head"]);
    std::fs::write(&elsewhere, &head).expect("a file");
    registry.ok(&["promote", "--hardware", HARDWARE, "1", "--reason", "once more"]);
    let orphan = put_orphan(&registry, "left by a training that was cut off");
    let young = put_orphan(&registry, "a training that goes on");
    make_old(&orphan);

    let mut server = None;
    for served in [false, true] {
        server = served.then(|| registry.serve());
        let listed = registry.ok(&["audit"]);
        for word in [
            "hardware created",
            "measurements recorded",
            "120 measurements of mobilenetv3",
            "once more",
            "alias production",
        ] {
            assert!(listed.contains(word), "{word} is not in\n{listed}");
        }
        let entries = registry.json(&["audit", "--hardware", HARDWARE, "--limit", "2"]);
        let sequences: Vec<_> = entries
            .as_array()
            .expect("entries")
            .iter()
            .map(|e| &e["sequence"])
            .collect();
        assert_eq!(sequences, [&json!(5), &json!(6)], "the newest, the newest last");
        assert_eq!(entries[1]["before"]["generation"], 1);
        assert_eq!(entries[1]["after"]["generation"], 2);
        assert_eq!(
            registry.json(&["audit", "--from", "2", "--limit", "1"])[0]["sequence"],
            2
        );
        assert_eq!(registry.json(&["audit", "--hardware", "toaster"]), json!([]));
        let kept = registry.ok(&["audit", "verify", "--head", text(&elsewhere)]);
        assert!(kept.contains("6 entries") && kept.contains(head.trim()), "{kept}");
        registry.ok(&["audit", "verify", "--head", registry.ok(&["audit", "head"]).trim()]);
        let said = registry.fails(&["audit", "verify", "--head", "6:nonsense"]);
        assert!(said.contains("N:HASH"), "{said}");

        let verified = registry.json(&["registry", "verify"]);
        assert_eq!(verified["findings"], json!([]));
        assert_eq!(
            verified["blobs"], 6,
            "dataset, model, log, version and two that nothing names"
        );

        let file = registry.folder.path().join(format!("backup-{served}.tar"));
        let manifest = registry.json(&["registry", "backup", text(&file)]);
        assert_eq!(manifest["audit"]["entries"], 6);
        assert_eq!(manifest["blobs"].as_array().map(Vec::len), Some(4));
        let said = registry.fails(&["registry", "backup", text(&file)]);
        assert!(said.contains("exists already"), "{said}");
        let said = registry.fails(&["registry", "restore", text(&file)]);
        assert!(said.contains("is not empty"), "{said}");

        let would = registry.json(&["registry", "gc", "--dry-run"]);
        assert_eq!(would, json!({ "count": 1, "bytes": 35 }), "the young one stays");
        assert!(orphan.exists() && young.exists());
    }
    assert_eq!(registry.json(&["registry", "gc"]), json!({ "count": 1, "bytes": 35 }));
    assert_eq!(registry.json(&["registry", "gc"]), json!({ "count": 0, "bytes": 0 }));
    assert!(!orphan.exists() && young.exists());
    let server = server.expect("a server");
    let newest = server.get("/v1/audit?before=9000&limit=1").1;
    assert_eq!(
        newest[0]["change"],
        json!({ "kind": "blobs_collected", "count": 1, "bytes": 35 })
    );
    assert_eq!(server.get("/v1/audit?before=3&limit=1").1[0]["sequence"], 2);
    assert_eq!(server.get("/v1/audit?before=3&from=1").0, 400);
    assert_eq!(server.post("/v1/registry/gc", r#"{"keep_seconds": "x"}"#).0, 422);
    assert_eq!(server.get("/v1/registry/verify").1["findings"], json!([]));

    // The archive is an ordinary one, and what is restored from it predicts the same.
    let file = registry.folder.path().join("backup-true.tar");
    let listed = Command::new("tar").arg("tf").arg(&file).output().expect("tar");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    assert!(
        listed.starts_with("manifest.json\nrecords.jsonl\nblobs/sha256/"),
        "{listed}"
    );
    let restored = Registry::default();
    restored.ok(&["registry", "restore", text(&file)]);
    assert_eq!(restored.json(&["registry", "verify"])["findings"], json!([]));
    let copy = restored.serve();
    assert_eq!(predict(&copy), predict(&server));
    restored.train("gbdt");
    restored.ok(&["promote", "--hardware", HARDWARE, "2"]);
    restored.ok(&["audit", "verify", "--head", text(&elsewhere)]);

    // A fitted model is found damaged when the backup is half sent: nobody gets a file.
    let digest = copy.get(&format!("/v1/{HARDWARE}/models/1")).1["content"]["artifacts"]["regressor"].clone();
    let hex = digest.as_str().expect("a digest")[7..].to_owned();
    let model = restored.path().join("blobs/sha256").join(&hex[..2]).join(&hex);
    let mut content = std::fs::read(&model).expect("the fitted model");
    *content.last_mut().expect("a byte") ^= 1;
    std::fs::write(&model, content).expect("written");
    let target = restored.folder.path().join("damaged.tar");
    restored.fails(&["registry", "backup", text(&target)]);
    assert!(!target.exists() && !restored.folder.path().join("damaged.tar.partial").exists());
    let output = restored.run(&["registry", "verify", "--json"]);
    let verified: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(!output.status.success());
    assert_eq!(verified["findings"][0]["subject"], digest, "{verified}");
}

#[test]
fn what_was_tampered_with_is_named() {
    let registry = Registry::default();
    registry.import(30);
    let head = registry.ok(&["audit", "head"]);
    let edit = |work: &dyn Fn(&sled::Db)| lglp_registry_conformance::edit(&registry.path(), work);
    let read = |bytes: &[u8]| -> Value {
        serde_json::from_slice(&lglp_registry::unpack(bytes).expect("a record")).expect("JSON")
    };
    let entry = "audit/00000000000000000002";
    let original = std::cell::RefCell::new(Vec::new());
    edit(&|db| {
        let bytes = db.get(entry).expect("read").expect("an entry");
        original.borrow_mut().extend_from_slice(&bytes);
        let mut forged = read(&bytes);
        forged["actor"] = json!("mallory");
        db.insert(entry, serde_json::to_vec(&forged).expect("JSON"))
            .expect("written");
    });
    let said = registry.fails(&["audit", "verify"]);
    assert!(said.contains("broken at entry 2: it was changed"), "{said}");
    let server = registry.serve();
    let said = registry.fails(&["audit", "verify"]);
    assert!(said.contains("broken at entry 2: it was changed"), "{said}");
    assert_eq!(server.get("/v1/audit/head").1["type"], "urn:lglp:problem:audit-broken");
    let said = registry.fails(&["registry", "verify"]);
    assert!(said.contains("damaged in one place"), "{said}");
    drop(server);
    edit(&|db| drop(db.remove(entry).expect("removed")));
    let said = registry.fails(&["audit", "verify"]);
    assert!(said.contains("broken at entry 2: it is missing"), "{said}");
    edit(&|db| {
        db.insert(entry, original.borrow().as_slice()).expect("written");
        let (measured, _) = db.scan_prefix("measurement/").next().expect("one").expect("read");
        db.remove(measured).expect("removed");
    });
    let said = registry.fails(&["audit", "verify"]);
    assert!(said.contains("it is missing; audit entry 2 tells of it"), "{said}");
    // Cut short with its head and the records, the log holds by itself; the head that was kept tells.
    edit(&|db| {
        let first = read(&db.get("audit/00000000000000000001").expect("read").expect("one"));
        db.remove(entry).expect("removed");
        for prefix in ["measurement/", "recorded/"] {
            for record in db.scan_prefix(prefix) {
                db.remove(record.expect("read").0).expect("removed");
            }
        }
        let head = json!({ "entries": 1, "hash": first["hash"] });
        db.insert("audit-head", head.to_string().as_bytes()).expect("written");
    });
    registry.ok(&["audit", "verify"]);
    let said = registry.fails(&["audit", "verify", "--head", head.trim()]);
    assert!(said.contains("entry 2: it is missing: the log was cut short"), "{said}");
}

/// A limit on the size of files stands in for a full disk.
#[test]
fn a_full_disk_stops_changes_and_no_predictions_and_loses_nothing() {
    let registry = Registry::with_production("gbdt");
    let database = std::fs::metadata(registry.path().join("db/db"))
        .expect("the database")
        .len();
    // The database wants to hold 8 MiB ahead of each change, for which there is no room.
    let blocks = database / 1024 + 16;
    let mut limited = Command::new("bash");
    let script = "trap '' XFSZ; exec \"$@\"";
    let serve = registry.command(&["serve", "--bind", "127.0.0.1:0"]);
    limited
        .args(["-c", script, "bash"])
        .arg(serve.get_program())
        .args(serve.get_args());
    limited.current_dir(root()).stderr(Stdio::null());
    let limited = limited.spawn().expect("the program runs");
    let process = limited.id().to_string();
    let server = registry.serving(limited, agent(None));
    // From now on: plugins are copied into memory before, which is no larger than a file may be.
    let bytes = format!("--fsize={}", blocks * 1024);
    let limit = Command::new("prlimit").args(["--pid", &process, &bytes]).status();
    assert!(limit.expect("util-linux").success());
    let before = predict(&server);

    let shipped = std::fs::read_to_string(root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl"));
    let shipped = shipped.expect("the shipped dataset");
    let rows: Vec<Value> = shipped
        .lines()
        .skip(120)
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut acknowledged = 120;
    let problem = rows.chunks(10).find_map(|chunk| {
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/measurements"), &json!(chunk).to_string());
        match status {
            200 => acknowledged += chunk.len(),
            _ => return Some((status, answer)),
        }
        None
    });
    let (status, problem) = problem.expect("the disk is full at some time");
    assert_eq!(
        (status, problem["type"].as_str()),
        (503, Some("urn:lglp:problem:disk-full"))
    );
    let refused = server.call(
        "PUT",
        &format!("/v1/{HARDWARE}/aliases/production"),
        &[("If-Match", "\"1\"")],
        Some(r#"{"version": 1}"#),
    );
    assert_eq!(refused.0, 503, "{}", refused.1);
    let (status, ready) = server.get("/readyz");
    assert_eq!((status, &ready["status"]), (200, &json!("ready")));
    assert!(
        ready["writes"]
            .as_str()
            .is_some_and(|said| said.contains("too full for a change")),
        "{ready}"
    );
    assert_eq!(predict(&server), before);
    let said = registry.fails(&["promote", "--hardware", HARDWARE, "1"]);
    assert!(said.contains("too full for a change"), "{said}");
    drop(server);

    let server = registry.serve();
    assert_eq!(predict(&server), before);
    let recorded = server.get(&format!("/v1/{HARDWARE}/measurements?space=mobilenetv3")).1;
    let recorded = recorded.as_array().expect("measurements").len();
    // The one that was refused has not happened.
    assert_eq!(recorded, acknowledged);
    assert_eq!(registry.json(&["registry", "verify"])["findings"], json!([]));
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
}

/// Killed at any moment, a restoration leaves a registry that is whole or none, and a backup a file that is whole or none.
#[test]
fn killed_backups_and_restorations_leave_nothing_half() {
    let mut rng = StdRng::seed_from_u64(9);
    let registry = Registry::default();
    registry.import(400);
    let file = registry.folder.path().join("backup.tar");
    let begun = Instant::now();
    registry.ok(&["registry", "backup", text(&file)]);
    let backing_up = begun.elapsed();
    let begun = Instant::now();
    Registry::default().ok(&["registry", "restore", text(&file)]);
    let restoring = begun.elapsed();
    let killed = |command: &mut Command, usual: Duration, rng: &mut StdRng| {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        std::thread::sleep(usual.mul_f64(rng.random_range(0.05..1.1)));
        child.kill().expect("killed, or ended before");
        child.wait().expect("ended");
    };
    let (mut restored, mut backed_up) = (0, 0);
    for replicate in 0..12 {
        let target = Registry::default();
        killed(
            &mut target.command(&["registry", "restore", text(&file)]),
            restoring,
            &mut rng,
        );
        if target.path().exists() {
            restored += 1;
        } else {
            target.ok(&["registry", "restore", text(&file)]);
        }
        assert_eq!(
            target.json(&["registry", "verify"])["findings"],
            json!([]),
            "replicate {replicate}"
        );

        let again = registry.folder.path().join(format!("backup-{replicate}.tar"));
        killed(
            &mut registry.command(&["registry", "backup", text(&again)]),
            backing_up,
            &mut rng,
        );
        if again.exists() {
            backed_up += 1;
        } else {
            registry.ok(&["registry", "backup", text(&again)]);
        }
        let target = Registry::default();
        target.ok(&["registry", "restore", text(&again)]);
    }
    println!("{restored} restorations and {backed_up} backups of 12 ended before they were killed");
}
