//! The file of a backup: a tar archive that any `tar` lists and unpacks.
//!
//! ```text
//! manifest.json            first: what else is in it, with the SHA-256 of every part
//! records.jsonl            {"key": ..., "value": ...}, one record a line, by key
//! blobs/sha256/ab/<hex>    every blob that a record names, by digest
//! ```
//! A manifest that comes first makes an archive that was cut short tell so, wherever the cut is.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::{BlobPart, Digest, Error, Manifest, Result};

pub(crate) const FORMAT: &str = "lglp-registry-backup";
pub(crate) const VERSION: u32 = 1;

const MANIFEST: &str = "manifest.json";
const RECORDS: &str = "records.jsonl";

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

/// Hashes and counts what passes through.
pub(crate) struct Hashing<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// What is inside, how many bytes passed and their digest.
    pub(crate) fn finish(self) -> (T, u64, Digest) {
        (self.inner, self.bytes, Digest::from_hash(&self.hash.finalize()))
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.note(&buffer[..count]);
        Ok(count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.note(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a backup. `open` opens the file of a blob.
pub(crate) fn write(
    out: &mut dyn Write,
    manifest: &Manifest,
    records: File,
    open: impl Fn(&Digest) -> Result<File>,
) -> Result<()> {
    let mut tar = Builder::new(out);
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| failed(error.into()))?;
    append(&mut tar, MANIFEST, text.len() as u64, &*text)?;
    append(&mut tar, RECORDS, manifest.records.bytes, records)?;
    for BlobPart { digest, bytes } in &manifest.blobs {
        let mut content = Hashing::new(open(digest)?.take(*bytes));
        append(&mut tar, &blob_path(digest), *bytes, &mut content)?;
        let (_, _, found) = content.finish();
        if found != *digest {
            return Err(Error::CorruptBlob {
                file: blob_path(digest),
                expected: digest.clone(),
                found,
            });
        }
    }
    tar.into_inner().and_then(|out| out.flush()).map_err(failed)
}

fn append(tar: &mut Builder<&mut dyn Write>, path: &str, bytes: u64, content: impl Read) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    tar.append_data(&mut header, path, content).map_err(failed)
}

fn failed(source: io::Error) -> Error {
    Error::Storage {
        doing: "write the backup",
        source: Box::new(source),
    }
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
    let mut tar = tar::Archive::new(archive);
    let mut entries = tar.entries().map_err(unreadable)?;
    let mut next = |wanted: &str| -> Result<_> {
        let entry = entries.next().ok_or_else(|| bad(format!("{wanted} is missing")))?;
        let entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?.display().to_string();
        if path == wanted && entry.header().entry_type() == EntryType::Regular {
            Ok(entry)
        } else {
            Err(bad(format!("it holds {path:?} in the place of {wanted}")))
        }
    };

    let mut text = Vec::new();
    let manifest = next(MANIFEST)?.take(MANIFEST_LIMIT).read_to_end(&mut text);
    manifest.map_err(unreadable)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| bad(format!("its manifest: {error}")))?;
    if manifest.format != FORMAT || manifest.version != VERSION {
        let (format, version) = (&manifest.format, manifest.version);
        return Err(bad(format!(
            "it says format {format:?}, version {version}; known is {FORMAT:?}, {VERSION}"
        )));
    }

    let mut content = Hashing::new(next(RECORDS)?);
    let count = read_records(&mut content, sink)?;
    let (_, bytes, sha256) = content.finish();
    let part = &manifest.records;
    if (count, bytes, &sha256) != (part.count, part.bytes, &part.sha256) {
        return Err(bad(format!(
            "{RECORDS} has {count} records and {sha256}; it should have {} and {}",
            part.count, part.sha256
        )));
    }

    let mut wanted: VecDeque<&BlobPart> = manifest.blobs.iter().collect();
    while let Some(part) = wanted.pop_front() {
        let path = blob_path(&part.digest);
        let mut content = Vec::new();
        let entry = next(&path)?;
        entry
            .take(part.bytes + 1)
            .read_to_end(&mut content)
            .map_err(unreadable)?;
        let found = Digest::of(&content);
        if found != part.digest {
            return Err(bad(format!("the content of {path} is {found}")));
        }
        sink.blob(&content)?;
    }
    match entries.next() {
        None => Ok(manifest),
        Some(_) => Err(bad("it holds more than its manifest names".to_owned())),
    }
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
    let mut line = Vec::new();
    let mut count = 0;
    loop {
        line.clear();
        if io::BufRead::read_until(&mut lines, b'\n', &mut line).map_err(unreadable)? == 0 {
            return Ok(count);
        }
        count += 1;
        let record: Line = serde_json::from_slice(&line).map_err(|error| bad(format!("record {count}: {error}")))?;
        sink.record(record.key, record.value.get().as_bytes())?;
    }
}

fn bad(reason: String) -> Error {
    Error::BadBackup { reason }
}

fn unreadable(error: io::Error) -> Error {
    bad(format!("it cannot be read: {error}"))
}
