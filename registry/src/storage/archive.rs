//! The file of a backup: a tar archive that any `tar` lists and unpacks.
//!
//! ```text
//! manifest.json            first: what else is in it, with the SHA-256 of every part
//! records.jsonl            {"key": ..., "value": ...}, one record a line, by key
//! blobs/sha256/ab/<hex>    every blob that a record names, by digest
//! SHA256SUMS               SHA-256 and name of every part before it, as `sha256sum` writes them
//! ```
//! A manifest that comes first makes an archive that was cut short tell so, wherever the cut is. The same registry at the same
//! moment gives one sequence of bytes, and no other is read. Backups of format 1, of before, have no `SHA256SUMS`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::backup_error::{bad, failed, unreadable};
use super::tarball::{Reader, Writer};
use crate::{BlobPart, Digest, Error, Manifest, Result};

pub(crate) const FORMAT: &str = "lglp-registry-backup";
pub(crate) const VERSION: u32 = 2;
/// The format that has no sums.
const WITHOUT_SUMS: u32 = 1;

const MANIFEST: &str = "manifest.json";
const RECORDS: &str = "records.jsonl";
const SUMS: &str = "SHA256SUMS";

/// A manifest larger than this is none, in bytes.
const MANIFEST_LIMIT: u64 = 1 << 30;

/// One line of the records.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    key: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// One line of the records, with its end. `value` is the record's JSON, kept to the byte.
pub(crate) fn line(key: &str, value: &[u8]) -> Result<Vec<u8>> {
    let corrupt = |error: serde_json::Error| Error::CorruptRecord {
        key: key.to_owned(),
        reason: error.to_string(),
    };
    let value: &RawValue = serde_json::from_slice(value).map_err(corrupt)?;
    let key_text = key.to_owned();
    let mut line = serde_json::to_vec(&Line { key: key_text, value }).map_err(corrupt)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a backup. `open` opens the file of a blob.
pub(crate) fn write(
    out: &mut dyn Write,
    manifest: &Manifest,
    records: File,
    open: impl Fn(&Digest) -> Result<File>,
) -> Result<()> {
    let mut tar = Writer::new(out);
    let mut sums = String::new();
    let text = manifest_text(manifest)?;
    sums += &sum(&tar.append(MANIFEST, text.len() as u64, &*text)?, MANIFEST);
    sums += &sum(&tar.append(RECORDS, manifest.records.bytes, records)?, RECORDS);
    for BlobPart { digest, bytes } in &manifest.blobs {
        let path = blob_path(digest);
        let found = tar.append(&path, *bytes, open(digest)?)?;
        if found != *digest {
            return Err(Error::CorruptBlob {
                file: path,
                expected: digest.clone(),
                found,
            });
        }
        sums += &sum(digest, &path);
    }
    tar.append(SUMS, sums.len() as u64, sums.as_bytes())?;
    tar.finish()
}

/// The one text of a manifest.
fn manifest_text(manifest: &Manifest) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(manifest).map_err(|error| failed(error.into()))
}

/// A line of the sums.
fn sum(digest: &Digest, path: &str) -> String {
    format!("{}  {path}\n", digest.hex())
}

fn blob_path(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("blobs/sha256/{}/{hex}", &hex[..2])
}

/// Where the parts of a backup go as it is read. What was taken counts only once the whole was read.
pub(crate) trait Sink {
    fn record(&mut self, key: String, value: &[u8]) -> Result<()>;
    fn blob(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Reads a backup to its end, each part checked against the manifest.
///
/// # Errors
/// [`Error::BadBackup`]; those of the sink.
pub(crate) fn read(archive: &mut dyn Read, sink: &mut dyn Sink) -> Result<Manifest> {
    let mut tar = Reader::new(archive);
    let mut sums = String::new();
    let (text, _, digest) = tar.entry(MANIFEST, |content| read_whole(content, MANIFEST_LIMIT))?;
    sums += &sum(&digest, MANIFEST);
    let manifest = read_manifest(&text)?;

    let (count, bytes, sha256) = tar.entry(RECORDS, |content| read_records(content, sink))?;
    let part = &manifest.records;
    if (count, bytes, &sha256) != (part.count, part.bytes, &part.sha256) {
        return Err(bad(format!(
            "{RECORDS} has {count} records and {sha256}; it should have {} and {}",
            part.count, part.sha256
        )));
    }
    sums += &sum(&sha256, RECORDS);

    for part in &manifest.blobs {
        let path = blob_path(&part.digest);
        let (content, bytes, found) = tar.entry(&path, |content| read_whole(content, part.bytes))?;
        if (bytes, &found) != (part.bytes, &part.digest) {
            return Err(bad(format!("the content of {path} is {found}, {bytes} bytes")));
        }
        sink.blob(&content)?;
        sums += &sum(&found, &path);
    }
    if manifest.version != WITHOUT_SUMS {
        let (found, ..) = tar.entry(SUMS, |content| read_whole(content, sums.len() as u64))?;
        if found != sums.as_bytes() {
            return Err(bad(format!("{SUMS} are not the sums of its parts")));
        }
    }
    tar.finish()?;
    Ok(manifest)
}

/// Reads a content of so many bytes at most; what is beyond is left.
fn read_whole(content: &mut dyn Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn read_manifest(text: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(text).map_err(|error| bad(format!("its manifest: {error}")))?;
    let (format, version) = (&manifest.format, manifest.version);
    if format != FORMAT || !(WITHOUT_SUMS..=VERSION).contains(&version) {
        return Err(bad(format!(
            "it says format {format:?}, version {version}; known is {FORMAT:?}, up to {VERSION}"
        )));
    }
    if manifest_text(&manifest)? != text {
        return Err(bad("its manifest is not written as a backup writes it".to_owned()));
    }
    if !manifest.blobs.is_sorted_by(|a, b| a.digest < b.digest) {
        return Err(bad(
            "the blobs of its manifest are not in order, or one comes twice".to_owned()
        ));
    }
    Ok(manifest)
}

/// Reads a backup to its end without keeping anything: whether it is whole.
///
/// # Errors
/// [`Error::BadBackup`].
pub fn check_backup(archive: &mut dyn Read) -> Result<Manifest> {
    struct Nowhere;
    impl Sink for Nowhere {
        fn record(&mut self, _: String, _: &[u8]) -> Result<()> {
            Ok(())
        }
        fn blob(&mut self, _: &[u8]) -> Result<()> {
            Ok(())
        }
    }
    read(archive, &mut Nowhere)
}

fn read_records(content: &mut dyn Read, sink: &mut dyn Sink) -> Result<u64> {
    let mut lines = BufReader::new(content);
    let mut text = Vec::new();
    let mut count = 0;
    let mut last: Option<String> = None;
    loop {
        text.clear();
        if lines.read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            return Ok(count);
        }
        count += 1;
        let record: Line = serde_json::from_slice(&text).map_err(|error| bad(format!("record {count}: {error}")))?;
        let value = record.value.get().as_bytes();
        if line(&record.key, value)? != text {
            return Err(bad(format!("record {count} is not written as a backup writes it")));
        }
        if last.as_ref().is_some_and(|last| *last >= record.key) {
            return Err(bad(format!("record {count} is not in order, or comes twice")));
        }
        last = Some(record.key.clone());
        sink.record(record.key, value)?;
    }
}
