//! Measurements that are finished and not acknowledged yet: one JSON line each, synced before anything else happens, gone once
//! the server has them.
//!
//! Replays are harmless, since the server answers what it has as known; so only adding must be durable. Where the disk takes
//! nothing, a measurement stays in memory until the disk or the server does.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lglp_registry::{Digest, HardwareName, Measurement};

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
    on_disk: bool,
}

/// What measurements of one job have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub hardware: HardwareName,
    pub space: String,
    pub round: u32,
}

impl Series {
    fn has(&self, measurement: &Measurement) -> bool {
        self.hardware == measurement.hardware && self.space == measurement.space && self.round == measurement.round
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
    /// Takes a folder, and what a process before left in it. A line that a kill cut short is dropped.
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
        let held = read(&folder.join(FILE)).map_err(failed)?;
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
    pub(crate) fn keep(&self, measurement: Measurement) -> io::Result<()> {
        let mut held = self.held();
        held.entries.push(Entry {
            measurement,
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
        let waiting = held.entries.iter().map(|e| &e.measurement).filter(|m| series.has(m));
        waiting.take(limit).cloned().collect()
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

    /// Lets go of a measurement that the server refuses, and writes down that it did.
    pub(crate) fn set_aside(&self, refused: &Measurement, reason: &str) {
        let line = serde_json::json!({ "reason": reason, "measurement": refused });
        let written = append(&self.folder.join(REFUSED), &[format!("{line}\n").as_bytes()]);
        // Where that cannot be written either, it stays, to be refused again.
        if written.is_ok() {
            self.acknowledge(std::slice::from_ref(refused));
        }
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
    let mut line = serde_json::to_vec(&entry.measurement).expect("a measurement is JSON");
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

/// The whole lines of a file; none where there is no file.
fn read(path: &Path) -> io::Result<Held> {
    let is_file = std::fs::metadata(path).map(|metadata| metadata.is_file());
    let content = match is_file {
        Ok(true) => std::fs::read(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Ok(false) | Err(_) => Vec::new(),
    };
    let lines = content.split_inclusive(|byte| *byte == b'\n');
    let whole: Vec<Option<Measurement>> = lines
        .map(|line| serde_json::from_slice(line.strip_suffix(b"\n")?).ok())
        .collect();
    Ok(Held {
        is_whole: whole.iter().all(Option::is_some),
        entries: whole
            .into_iter()
            .flatten()
            .map(|measurement| Entry {
                measurement,
                on_disk: true,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn series(round: u32) -> Series {
        Series {
            hardware: "h".parse().expect("a name"),
            space: "s".into(),
            round,
        }
    }

    fn measurement(architecture: &str, round: u32) -> Measurement {
        serde_json::from_value(serde_json::json!({
            "hardware": "h", "space": "s", "architecture": architecture,
            "digest": Digest::of(architecture.as_bytes()), "round": round, "latency_ms": 1.5, "statistic": "median",
            "protocol": {}, "samples": [], "load_average": 0.0, "drift": false, "flags": [],
            "measured_at": "2026-11-25T00:00:00Z", "process": "1",
        }))
        .expect("a measurement")
    }

    fn open(folder: &Path) -> Spool {
        Spool::open(folder, Arc::default()).expect("a spool")
    }

    fn texts(spool: &Spool, round: u32) -> Vec<String> {
        let waiting = spool.waiting(&series(round), 100);
        waiting.into_iter().map(|m| m.architecture).collect()
    }

    #[test]
    fn what_is_kept_survives_and_what_is_acknowledged_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = open(folder.path());
        for architecture in ["a", "b", "c"] {
            spool.keep(measurement(architecture, 0)).expect("kept");
        }
        spool.keep(measurement("a", 1)).expect("kept");
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
        spool.keep(measurement("a", 0)).expect("kept");
        let first = std::fs::read(folder.path().join(FILE)).expect("lines").len();
        spool.keep(measurement("b", 0)).expect("kept");
        drop(spool);
        let all = std::fs::read(folder.path().join(FILE)).expect("lines");
        for cut in 0..=all.len() {
            std::fs::write(folder.path().join(FILE), &all[..cut]).expect("written");
            let spool = open(folder.path());
            let whole = usize::from(cut >= first) + usize::from(cut == all.len());
            assert_eq!(spool.len(), whole, "cut at {cut}");
            // What comes after half a line is whole again.
            spool.keep(measurement("c", 0)).expect("kept");
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
        open(folder.path()).keep(measurement("a", 0)).expect("kept");
        std::fs::write(folder.path().join(NEW_FILE), "{\"half").expect("written");
        let spool = open(folder.path());
        assert_eq!(texts(&spool, 0), ["a"]);
        spool.keep(measurement("b", 0)).expect("kept");
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
            let full = spool.keep(measurement(architecture, 0)).expect_err("a full disk");
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
        spool.keep(measurement("a", 0)).expect("kept");
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
}
