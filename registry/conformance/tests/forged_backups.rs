//! Backups that are not the one sequence of bytes that a backup is: damaged, or put together by somebody.

use std::io::Read as _;
use std::path::Path;

use lglp_registry::prelude::*;
use lglp_registry::{Digest, Error, HolderInfo, Manifest, SledStore, check_backup};
use lglp_registry_conformance::fixtures::{measurement, name, promote, ready_for_versions};

/// Path and content.
type Part = (String, Vec<u8>);

/// A backup of a registry with one of many things.
fn backup(dir: &Path) -> Vec<u8> {
    let store = SledStore::open(dir, HolderInfo::default()).unwrap();
    let cpu = name("cpu");
    let new = ready_for_versions(&store, &cpu);
    store.record_measurement(&measurement(&cpu, "net", 0), "ann").unwrap();
    store.create_version(&cpu, &new, Some("key")).unwrap();
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    let mut archive = Vec::new();
    store.backup(&mut archive).unwrap();
    archive
}

/// The parts of a backup, read by the tar crate, which is not what reads them in lglp.
fn parts(archive: &[u8]) -> Vec<Part> {
    let mut archive = tar::Archive::new(archive);
    let part = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    };
    archive.entries().unwrap().map(part).collect()
}

/// The archive of some parts, written by the tar crate.
fn pack(parts: &[Part]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        builder.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A backup of changed parts, whose manifest and sums are those of the parts as they are now.
fn forged(archive: &[u8], change: impl FnOnce(&mut Vec<Part>)) -> Vec<u8> {
    let mut parts = parts(archive);
    drop(parts.pop());
    change(&mut parts);
    let mut manifest: Manifest = serde_json::from_slice(&parts[0].1).unwrap();
    let records = &parts[1].1;
    manifest.records.count = records.split_inclusive(|byte| *byte == b'\n').count() as u64;
    manifest.records.bytes = records.len() as u64;
    manifest.records.sha256 = Digest::of(records);
    parts[0].1 = serde_json::to_vec_pretty(&manifest).unwrap();
    with_sums(parts)
}

fn with_sums(mut parts: Vec<Part>) -> Vec<u8> {
    let sum = |(path, content): &Part| format!("{}  {path}\n", Digest::of(content).hex());
    let sums: String = parts.iter().map(sum).collect();
    parts.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    pack(&parts)
}

fn refused(archive: &[u8], what: &str) {
    let read = check_backup(&mut &*archive);
    assert!(matches!(read, Err(Error::BadBackup { .. })), "{what}: {read:?}");
}

#[test]
fn every_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let whole = backup(&dir.path().join("a"));
    assert_eq!(forged(&whole, |_| ()), whole, "the tar crate writes the same");
    check_backup(&mut whole.as_slice()).unwrap();
    let mut damaged = whole.clone();
    for at in 0..whole.len() {
        // A bit, and what turns letters, digits and zeros into others.
        for change in [1, 0x20, 0xff] {
            damaged[at] ^= change;
            refused(&damaged, &format!("byte {at} of {}", whole.len()));
            damaged[at] = whole[at];
        }
    }
}

#[test]
fn every_other_length_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let whole = backup(&dir.path().join("a"));
    for length in (0..whole.len()).step_by(7).chain(whole.len() - 1100..whole.len()) {
        refused(&whole[..length], &format!("{length} bytes"));
    }
    for more in [1, 512, 1024, 10_240] {
        refused(
            &[whole.as_slice(), &vec![0; more]].concat(),
            &format!("{more} zeros more"),
        );
    }
    refused(&[whole.as_slice(), b"x"].concat(), "a letter more");
}

#[test]
fn forged_parts_are_refused_though_their_sums_hold() {
    let dir = tempfile::tempdir().unwrap();
    let whole = backup(&dir.path().join("a"));
    let records = |change: &dyn Fn(&mut Vec<String>)| {
        forged(&whole, |parts| {
            let text = String::from_utf8(parts[1].1.clone()).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            change(&mut lines);
            parts[1].1 = (lines.join("\n") + "\n").into_bytes();
        })
    };
    refused(&records(&|lines| lines.insert(1, lines[0].clone())), "a record twice");
    refused(
        &records(&|lines| lines.push(lines[0].clone())),
        "a record again at the end",
    );
    refused(&records(&|lines| lines.swap(0, 1)), "another order");
    refused(&records(&|lines| lines[0] += " "), "a space behind a record");
    refused(&records(&|lines| lines[0].insert(1, ' ')), "a space in a record");
    let another = |lines: &mut Vec<String>| lines[0].insert_str(1, "\"another\":1,");
    refused(&records(&another), "another field of a record");
    refused(&records(&|lines| lines.insert(0, String::new())), "an empty line");

    let manifest = |change: &dyn Fn(String) -> String| {
        let mut parts = parts(&whole);
        drop(parts.pop());
        parts[0].1 = change(String::from_utf8(parts[0].1.clone()).unwrap()).into_bytes();
        with_sums(parts)
    };
    assert_eq!(manifest(&|text| text), whole);
    refused(&manifest(&|text| text + "\n"), "a line's end behind the manifest");
    refused(&manifest(&|text| text.replacen("  ", " ", 1)), "other spaces");
    refused(
        &manifest(&|text| text.replacen('{', "{\"another\":1,", 1)),
        "another field",
    );
    refused(
        &manifest(&|text| text.replacen("\"version\": 2", "\"version\": 1", 1)),
        "sums in format 1",
    );
    refused(
        &manifest(&|text| text.replacen("\"version\": 2", "\"version\": 3", 1)),
        "a later format",
    );
    refused(
        &manifest(&|text| text.replacen("\"version\": 2", "\"version\": 0", 1)),
        "no format",
    );

    refused(&forged(&whole, |parts| parts.swap(2, 3)), "blobs in another order");
    refused(&forged(&whole, |parts| parts.push(parts[2].clone())), "a blob twice");
    refused(&forged(&whole, |parts| drop(parts.pop())), "a blob is missing");
    refused(&forged(&whole, |parts| parts[2].1[0] ^= 1), "another blob");
}

/// Format 1 is the same without sums.
#[test]
fn a_backup_of_before_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = parts(&backup(&dir.path().join("a")));
    drop(parts.pop());
    let text = String::from_utf8(parts[0].1.clone()).unwrap();
    parts[0].1 = text.replacen("\"version\": 2", "\"version\": 1", 1).into_bytes();
    let old = pack(&parts);
    let restored = dir.path().join("b");
    SledStore::restore(&restored, &mut old.as_slice()).unwrap();
    let store = SledStore::open(&restored, HolderInfo::default()).unwrap();
    assert_eq!(store.versions(&name("cpu")).unwrap().len(), 1);
}
