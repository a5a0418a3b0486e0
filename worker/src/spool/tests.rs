use std::os::unix::fs::symlink;

use super::*;

fn series(replicate: u32) -> Series {
    Series {
        hardware: "h".parse().expect("a name"),
        space: "s".into(),
        replicate,
        target_since: "t".into(),
    }
}

fn measurement(architecture: &str, replicate: u32) -> Measurement {
    serde_json::from_value(serde_json::json!({
        "hardware": "h", "space": "s", "architecture": architecture,
        "digest": Digest::of(architecture.as_bytes()), "round": replicate, "latency_ms": 1.5, "statistic": "median",
        "protocol": {}, "samples": [], "load_average": 0.0, "drift": false, "flags": [],
        "measured_at": "2026-11-25T00:00:00Z", "process": "1",
    }))
    .expect("a measurement")
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, Arc::default()).expect("a spool")
}

fn texts(spool: &Spool, replicate: u32) -> Vec<String> {
    let waiting = spool.waiting(&series(replicate), 100);
    waiting.into_iter().map(|m| m.architecture).collect()
}

#[test]
fn what_is_kept_survives_and_what_is_acknowledged_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = open(folder.path());
    for architecture in ["a", "b", "c"] {
        spool.keep(measurement(architecture, 0), "t").expect("kept");
    }
    spool.keep(measurement("a", 1), "t").expect("kept");
    // Out of order, as answers may come.
    spool.acknowledge(&[measurement("b", 0)]);
    drop(spool);
    let spool = open(folder.path());
    assert_eq!(
        (texts(&spool, 0), texts(&spool, 1)),
        (vec!["a".into(), "c".into()], vec!["a".into()])
    );
    assert_eq!(spool.digests(&series(1)), HashSet::from([Digest::of(b"a")]));
    assert_eq!(spool.waiting(&series(0), 1).len(), 1);
    spool.acknowledge(&[measurement("a", 0), measurement("c", 0), measurement("a", 1)]);
    drop(spool);
    assert!(open(folder.path()).is_empty());
}

#[test]
fn a_kill_at_any_byte_costs_the_line_that_was_being_written_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = open(folder.path());
    spool.keep(measurement("a", 0), "t").expect("kept");
    let first = std::fs::read(folder.path().join(FILE)).expect("lines").len();
    spool.keep(measurement("b", 0), "t").expect("kept");
    drop(spool);
    let all = std::fs::read(folder.path().join(FILE)).expect("lines");
    for cut in 0..=all.len() {
        std::fs::write(folder.path().join(FILE), &all[..cut]).expect("written");
        let spool = open(folder.path());
        let whole = usize::from(cut >= first) + usize::from(cut == all.len());
        assert_eq!(spool.len(), whole, "cut at {cut}");
        // What comes after half a line is whole again.
        spool.keep(measurement("c", 0), "t").expect("kept");
        drop(spool);
        let spool = open(folder.path());
        assert_eq!(
            (spool.len(), texts(&spool, 0).last()),
            (whole + 1, Some(&"c".to_owned()))
        );
    }
}

#[test]
fn a_kill_while_the_file_is_written_anew_leaves_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    open(folder.path()).keep(measurement("a", 0), "t").expect("kept");
    std::fs::write(folder.path().join(NEW_FILE), "{\"half").expect("written");
    let spool = open(folder.path());
    assert_eq!(texts(&spool, 0), ["a"]);
    spool.keep(measurement("b", 0), "t").expect("kept");
    spool.acknowledge(&[measurement("a", 0)]);
    drop(spool);
    assert_eq!(texts(&open(folder.path()), 0), ["b"]);
}

#[test]
fn a_full_disk_leaves_measurements_in_memory_until_it_takes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = open(folder.path());
    let files = [FILE, NEW_FILE].map(|name| folder.path().join(name));
    for file in &files {
        symlink("/dev/full", file).expect("a link");
    }
    for architecture in ["a", "b", "c"] {
        let full = spool.keep(measurement(architecture, 0), "t").expect_err("a full disk");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    }
    assert!(!spool.is_durable() && spool.persist().is_err());
    assert_eq!(texts(&spool, 0), ["a", "b", "c"]);
    // The server took one meanwhile.
    spool.acknowledge(&[measurement("b", 0)]);
    for file in &files {
        std::fs::remove_file(file).expect("removed");
    }
    spool.persist().expect("there is room");
    assert!(spool.is_durable());
    drop(spool);
    assert_eq!(texts(&open(folder.path()), 0), ["a", "c"]);
}

#[test]
fn what_is_refused_is_set_aside_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = open(folder.path());
    spool.keep(measurement("a", 0), "t").expect("kept");
    spool.set_aside(&measurement("a", 0), "latency_ms: is not positive");
    assert!(spool.is_empty());
    let refused = std::fs::read_to_string(folder.path().join(REFUSED)).expect("a file");
    let refused: serde_json::Value = serde_json::from_str(&refused).expect("JSON");
    assert_eq!(refused["reason"], "latency_ms: is not positive");
    assert_eq!(refused["measurement"]["architecture"], "a");
}

#[test]
fn two_workers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    let second = Spool::open(folder.path(), Arc::default());
    assert!(matches!(second, Err(SpoolError::InUse { .. })));
    drop(first);
    open(folder.path());
}

/// The story: a target was deleted while a worker was away, and made anew with another batch size; what the worker had measured of the
/// first was handed over as measured of the second.
#[test]
fn what_was_measured_for_another_target_of_the_name_is_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = open(folder.path());
    spool.keep(measurement("a", 0), "before").expect("kept");
    spool.keep(measurement("b", 0), "t").expect("kept");
    assert_eq!(spool.waiting(&series(0), 9).len(), 1);
    assert_eq!(spool.set_others_aside(&series(0).hardware, "t"), 1);
    assert_eq!((spool.len(), spool.waiting(&series(0), 9).len()), (1, 1));
    let refused = std::fs::read_to_string(folder.path().join(REFUSED)).expect("what was set aside");
    assert!(refused.contains("another target of the name h"), "{refused}");
}

/// The story: a line that could not be read was dropped without a word, and gone with the next change of the file.
#[test]
fn lines_that_cannot_be_read_are_set_aside_and_those_of_earlier_versions_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = serde_json::to_string(&measurement("a", 0)).expect("JSON");
    std::fs::write(folder.path().join(FILE), format!("{old}\nno measurement\n{{\"half")).expect("a file");
    let spool = open(folder.path());
    assert_eq!(spool.waiting(&series(0), 9).len(), 1);
    let refused = std::fs::read_to_string(folder.path().join(REFUSED)).expect("what was set aside");
    assert!(
        refused.contains("no measurement") && !refused.contains("half"),
        "{refused}"
    );
}
