//! Measurements that are finished and not acknowledged yet: one JSON line each, synced before anything else happens, gone once
//! the server has them.
//!
//! Replays are harmless, since the server answers what it has as known; so only adding must be durable. Where the disk takes
//! nothing, a measurement stays in memory until the disk or the server does.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lglp_registry::{Digest, HardwareName, Measurement};
use serde::{Deserialize, Serialize};

use lglp_client::EventCount;

/// The lines.
const FILE: &str = "spool.jsonl";

/// What the file is written to anew before it takes the file's place. Only who holds the lock writes there.
const NEW_FILE: &str = "spool.new";

/// What the server refused, with its reason: nothing finished is thrown away.
const REFUSED: &str = "refused.jsonl";

/// Held by the process that uses the folder.
const LOCK: &str = "lock";

/// The measurements that a worker has yet to hand over.
pub(crate) struct Spool {
    folder: PathBuf,
    held: Mutex<Held>,
    /// Rung at every change.
    events: Arc<EventCount>,
    _lock: File,
}

struct Held {
    entries: Vec<Entry>,
    /// Whether the file is known to end in a whole line, so that another can be added.
    is_whole: bool,
}

struct Entry {
    measurement: Measurement,
    /// When its hardware target was created, by the server's clock: another of its name is another target. None in lines of an earlier
    /// version.
    target_since: Option<String>,
    on_disk: bool,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    target_since: Option<String>,
    measurement: Measurement,
}

/// What measurements of one job have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub hardware: HardwareName,
    pub space: String,
    pub replicate: u32,
    /// When the hardware target was created.
    pub target_since: String,
}

impl Series {
    fn has(&self, entry: &Entry) -> bool {
        let measurement = &entry.measurement;
        self.hardware == measurement.hardware
            && self.space == measurement.space
            && self.replicate == measurement.replicate
            && entry.is_of(&self.target_since)
    }
}

impl Entry {
    fn is_of(&self, target_since: &str) -> bool {
        self.target_since.as_deref().is_none_or(|since| since == target_since)
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SpoolError {
    #[error("{} cannot be used to keep measurements in: {reason}; give another folder by --state", folder.display())]
    Folder { folder: PathBuf, reason: io::Error },
    #[error("{} is in use by another worker; give this one a name of its own by --name, or a folder by --state", folder.display())]
    InUse { folder: PathBuf },
}

impl Spool {
    /// Takes a folder, and what a process before left in it. A line that a kill cut short is dropped; whole ones that cannot be read
    /// are set aside.
    ///
    /// # Errors
    /// Where the folder cannot be written, or is another worker's.
    pub(crate) fn open(folder: &Path, events: Arc<EventCount>) -> Result<Self, SpoolError> {
        let failed = |reason| SpoolError::Folder {
            folder: folder.to_owned(),
            reason,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = OpenOptions::new().create(true).append(true).open(folder.join(LOCK));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let folder = folder.to_owned();
                return Err(SpoolError::InUse { folder });
            }
            Err(TryLockError::Error(reason)) => return Err(failed(reason)),
        }
        let (held, unread) = read(&folder.join(FILE)).map_err(failed)?;
        for line in &unread {
            let line = serde_json::json!({ "reason": "it cannot be read", "line": String::from_utf8_lossy(line) });
            append(&folder.join(REFUSED), &[format!("{line}\n").as_bytes()]).map_err(failed)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            held: Mutex::new(held),
            events,
            _lock: lock,
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes a measurement; durable where this succeeds.
    ///
    /// # Errors
    /// Where the disk does not take it: it is held in memory.
    pub(crate) fn keep(&self, measurement: Measurement, target_since: &str) -> io::Result<()> {
        let mut held = self.held();
        held.entries.push(Entry {
            measurement,
            target_since: Some(target_since.to_owned()),
            on_disk: false,
        });
        let kept = held.persist(&self.folder);
        drop(held);
        self.events.notify();
        kept
    }

    /// Makes durable what is in memory alone.
    ///
    /// # Errors
    /// Where the disk still does not take it.
    pub(crate) fn persist(&self) -> io::Result<()> {
        self.held().persist(&self.folder)
    }

    /// Whether nothing is in memory alone.
    pub(crate) fn is_durable(&self) -> bool {
        self.held().entries.iter().all(|entry| entry.on_disk)
    }

    /// How many measurements there are.
    pub(crate) fn len(&self) -> usize {
        self.held().entries.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `limit` measurements of a series, the oldest first.
    pub(crate) fn waiting(&self, series: &Series, limit: usize) -> Vec<Measurement> {
        let held = self.held();
        let waiting = held.entries.iter().filter(|entry| series.has(entry));
        waiting.take(limit).map(|entry| entry.measurement.clone()).collect()
    }

    /// The architectures of a series that are measured and wait here.
    pub(crate) fn digests(&self, series: &Series) -> HashSet<Digest> {
        let waiting = self.waiting(series, usize::MAX);
        waiting.into_iter().map(|measurement| measurement.digest).collect()
    }

    /// Lets go of what the server has.
    pub(crate) fn acknowledge(&self, taken: &[Measurement]) {
        let mut held = self.held();
        let (gone, left) = std::mem::take(&mut held.entries)
            .into_iter()
            .partition(|entry| taken.contains(&entry.measurement));
        held.entries = left;
        // A failure leaves lines behind that the server knows.
        let gone: Vec<Entry> = gone;
        if gone.iter().any(|entry| entry.on_disk) {
            let _ = held.forget(&self.folder);
        }
        drop(held);
        self.events.notify();
    }

    /// Sets aside what was measured for other targets of a name than the one that there is now, and returns how many these were. What
    /// another target took says nothing of this one.
    pub(crate) fn set_others_aside(&self, hardware: &HardwareName, target_since: &str) -> usize {
        let others: Vec<Measurement> = {
            let held = self.held();
            let other = |entry: &&Entry| entry.measurement.hardware == *hardware && !entry.is_of(target_since);
            held.entries
                .iter()
                .filter(other)
                .map(|entry| entry.measurement.clone())
                .collect()
        };
        let reason = format!("it was measured for another target of the name {hardware}");
        others.iter().filter(|other| self.set_aside(other, &reason)).count()
    }

    /// Lets go of a measurement that the server refuses, and writes down that it did; false where that cannot be written.
    pub(crate) fn set_aside(&self, refused: &Measurement, reason: &str) -> bool {
        let line = serde_json::json!({ "reason": reason, "measurement": refused });
        let written = append(&self.folder.join(REFUSED), &[format!("{line}\n").as_bytes()]);
        // Where that cannot be written either, it stays, to be refused again.
        if written.is_ok() {
            self.acknowledge(std::slice::from_ref(refused));
        }
        written.is_ok()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Adds to the file what is not in it, or writes it anew where it may end in half a line.
    fn persist(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<Vec<u8>> = self.entries.iter().filter(|e| !e.on_disk).map(line).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.is_whole {
            let lines: Vec<&[u8]> = missing.iter().map(Vec::as_slice).collect();
            if let Err(error) = append(&folder.join(FILE), &lines) {
                self.is_whole = false;
                return Err(error);
            }
        } else {
            self.write_anew(folder)?;
        }
        for entry in &mut self.entries {
            entry.on_disk = true;
        }
        Ok(())
    }

    /// Takes lines out of the file whose entries are gone.
    fn forget(&mut self, folder: &Path) -> io::Result<()> {
        if self.entries.iter().any(|entry| entry.on_disk) {
            return self.write_anew(folder);
        }
        std::fs::remove_file(folder.join(FILE))?;
        self.is_whole = true;
        Ok(())
    }

    fn write_anew(&mut self, folder: &Path) -> io::Result<()> {
        let new = folder.join(NEW_FILE);
        let mut file = File::create(&new)?;
        let lines: Vec<u8> = self.entries.iter().flat_map(line).collect();
        file.write_all(&lines)?;
        file.sync_all()?;
        std::fs::rename(&new, folder.join(FILE))?;
        File::open(folder)?.sync_all()?;
        self.is_whole = true;
        for entry in &mut self.entries {
            entry.on_disk = true;
        }
        Ok(())
    }
}

fn line(entry: &Entry) -> Vec<u8> {
    let kept = Line {
        target_since: entry.target_since.clone(),
        measurement: entry.measurement.clone(),
    };
    let mut line = serde_json::to_vec(&kept).expect("a measurement is JSON");
    line.push(b'\n');
    line
}

/// Adds lines to a file; durable where it succeeds.
fn append(path: &Path, lines: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let is_new = file.metadata()?.len() == 0;
    file.write_all(&lines.concat())?;
    file.sync_data()?;
    if is_new && let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// What a file holds, none where there is no file; and its whole lines that cannot be read.
fn read(path: &Path) -> io::Result<(Held, Vec<Vec<u8>>)> {
    let is_file = std::fs::metadata(path).map(|metadata| metadata.is_file());
    let content = match is_file {
        Ok(true) => std::fs::read(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Ok(false) | Err(_) => Vec::new(),
    };
    let (mut entries, mut unread, mut is_whole) = (Vec::new(), Vec::new(), true);
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else {
            is_whole = false;
            continue;
        };
        match entry(text) {
            Some(entry) => entries.push(entry),
            None => {
                is_whole = false;
                unread.push(text.to_vec());
            }
        }
    }
    Ok((Held { entries, is_whole }, unread))
}

/// A line as this version writes it, or an earlier one.
fn entry(text: &[u8]) -> Option<Entry> {
    let line: Option<Line> = serde_json::from_slice(text).ok();
    let line = line.or_else(|| {
        let measurement = serde_json::from_slice(text).ok()?;
        let target_since = None;
        Some(Line {
            target_since,
            measurement,
        })
    })?;
    Some(Entry {
        measurement: line.measurement,
        target_since: line.target_since,
        on_disk: true,
    })
}
