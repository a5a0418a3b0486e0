//! Writes that fail: what was acknowledged is there after a power cut, and a store that cannot trust its disk says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lglp_registry::prelude::*;
use lglp_registry::{Disk, Error, HolderInfo, NewVersion, SledStore};
use lglp_registry_conformance::FaultyDisk;
use lglp_registry_conformance::fixtures::{SPACE, measurement, name, promote, try_ready_for_versions};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, HolderInfo::default()).unwrap()
}

const PAGE: usize = 4096;

/// A disk that fails, and that forgets on a power cut all that was not synced: the database is what it was at the last
/// sync, and files whose folder was not synced since they came are gone. Pages of the database that a sync failed to write
/// count as clean, as Linux has it: later syncs succeed and leave them out.
#[derive(Debug)]
struct PowerCut {
    faulty: FaultyDisk,
    db: PathBuf,
    synced: PathBuf,
    /// Pages that no sync will write until they change, by number, as they are in memory.
    clean: Mutex<BTreeMap<usize, Vec<u8>>>,
    fresh: Mutex<BTreeSet<PathBuf>>,
}

impl PowerCut {
    fn new(dir: &Path, synced: &Path, seed: u64) -> Self {
        let disk = Self {
            faulty: FaultyDisk::new(seed, 60),
            db: dir.join("db"),
            synced: synced.to_owned(),
            clean: Mutex::default(),
            fresh: Mutex::default(),
        };
        copy(&disk.db, &disk.synced);
        disk
    }

    /// The database file as it is in memory and as it was synced last, in pages.
    fn pages(&self) -> [Vec<Vec<u8>>; 2] {
        [&self.db, &self.synced].map(|folder| {
            let bytes = fs::read(folder.join("db")).unwrap();
            bytes.chunks(PAGE).map(<[u8]>::to_vec).collect()
        })
    }

    fn sync_fails(&self) {
        let [now, synced] = self.pages();
        let lost = now
            .into_iter()
            .enumerate()
            .filter(|(at, page)| synced.get(*at) != Some(page));
        self.clean.lock().unwrap().extend(lost);
    }

    fn sync_succeeds(&self) {
        let [now, synced] = self.pages();
        let mut clean = self.clean.lock().unwrap();
        clean.retain(|at, page| now.get(*at) == Some(page));
        let nothing = vec![0; PAGE];
        let written = now.iter().enumerate().map(|(at, page)| match clean.get(&at) {
            Some(_) => synced.get(at).unwrap_or(&nothing),
            None => page,
        });
        let bytes: Vec<u8> = written.flatten().copied().collect();
        let _ = fs::remove_dir_all(&self.synced);
        copy(&self.db, &self.synced);
        fs::write(self.synced.join("db"), bytes).unwrap();
    }

    /// The power is cut. The store must be closed.
    fn strike(&self) {
        self.forget(&self.db).unwrap();
        for path in &*self.fresh.lock().unwrap() {
            let _ = fs::remove_file(path);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, target).unwrap();
        }
    }
}

impl Disk for PowerCut {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        self.faulty.write(path, bytes)
    }

    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.faulty.sync(file, path)?;
        self.fresh.lock().unwrap().retain(|file| file.parent() != Some(path));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if !to.exists() {
            self.fresh.lock().unwrap().insert(to.to_owned());
        }
        self.faulty.rename(from, to)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.faulty.create_folder(path)
    }

    /// Whatever was not synced was dropped from memory, too.
    fn forget(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir_all(folder)?;
        copy(&self.synced, folder);
        self.clean.lock().unwrap().clear();
        Ok(())
    }

    fn apply(&self, db: &sled::Db, batch: sled::Batch) -> sled::Result<()> {
        self.faulty.apply(db, batch)
    }

    fn flush(&self, db: &sled::Db) -> sled::Result<()> {
        self.faulty.flush(db)
    }

    fn sync_database(&self, file: &File) -> io::Result<()> {
        match self.faulty.sync_database(file) {
            Ok(()) => self.sync_succeeds(),
            Err(error) => {
                self.sync_fails();
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Writes until the store stops, or `steps` times; other failures are passed over. What was acknowledged.
fn write(store: &SledStore, run: u64, steps: usize) -> Vec<String> {
    let cpu = name("cpu");
    let mut acknowledged = Vec::new();
    for step in 0..steps {
        if store.check_writable().is_err() {
            break;
        }
        let mut work = || -> Result<(), Error> {
            let base = try_ready_for_versions(store, &cpu)?;
            let new = measurement(&cpu, &format!("net {run}.{step}"), 0);
            store.record_measurement(&new, "ann")?;
            acknowledged.push(format!("measurement {}", new.digest));
            let training_log = store.put_blob(format!("log {run}.{step}").as_bytes())?;
            acknowledged.push(format!("blob {training_log}"));
            let new = NewVersion { training_log, ..base };
            let version = store.create_version(&cpu, &new, None)?;
            acknowledged.push(format!("version {}", version.version));
            let production = "production".parse().unwrap();
            let generation = store.alias(&cpu, &production).map_or(0, |alias| alias.generation);
            let alias = store.move_alias(&cpu, &promote(version.version, generation))?;
            acknowledged.push(format!("alias {}", alias.generation));
            Ok(())
        };
        if let Err(error) = work() {
            assert!(
                matches!(
                    error,
                    Error::Io { .. } | Error::DiskFull { .. } | Error::WritesStopped { .. }
                ),
                "{error}"
            );
        }
    }
    acknowledged
}

fn missing(store: &SledStore, acknowledged: &[String]) -> Vec<String> {
    let cpu = name("cpu");
    let there = |line: &String| {
        let (kind, id) = line.split_once(' ').unwrap();
        match kind {
            "measurement" => store
                .measured_digests(&cpu, SPACE, 0)
                .unwrap()
                .contains(&id.parse().unwrap()),
            "blob" => store.get_blob(&id.parse().unwrap()).is_ok(),
            "version" => store.version(&cpu, id.parse().unwrap()).is_ok(),
            _ => {
                let alias = store.alias(&cpu, &"production".parse().unwrap());
                alias.is_ok_and(|alias| alias.generation >= id.parse().unwrap())
            }
        }
    };
    acknowledged.iter().filter(|line| !there(line)).cloned().collect()
}

#[test]
fn what_was_acknowledged_survives_faults_and_power_cuts() {
    let (mut stopped, mut faults, mut total) = (0, 0, 0);
    for seed in 0..8 {
        let (dir, synced) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(open(dir.path()));
        let mut acknowledged = Vec::new();
        for life in 0..3 {
            let disk = Arc::new(PowerCut::new(dir.path(), &synced.path().join("db"), seed << 8 | life));
            // Opened anew without a power cut first, which would clear the memory of what is not on the disk.
            for opened in 0..3 {
                let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone());
                if let Ok(store) = store {
                    acknowledged.extend(write(&store, seed << 16 | life << 8 | opened, 6));
                    stopped += usize::from(store.check_writable().is_err());
                }
            }
            faults += disk.faulty.faults();
            disk.strike();
            let store = open(dir.path());
            assert_eq!(missing(&store, &acknowledged), [""; 0], "seed {seed}, life {life}");
            assert_eq!(
                store.verify(&|_, _| {}).unwrap().findings,
                [],
                "seed {seed}, life {life}"
            );
        }
        total += acknowledged.len();
    }
    println!("{faults} faults stopped {stopped} stores; {total} acknowledgements");
    assert!(
        faults > 20 && stopped > 15 && total > 80,
        "too little went wrong or right"
    );
}

/// Syncs fail as long as the switch is on.
#[derive(Debug, Default)]
struct Switch(AtomicBool);

impl Disk for Switch {
    fn sync_database(&self, file: &File) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(5));
        }
        file.sync_data()
    }
}

/// The second try would succeed, as it does on Linux, where the pages that could not be written count as clean.
#[test]
fn after_a_failed_sync_nothing_is_written_until_the_registry_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Switch::default());
    let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone()).unwrap();
    let cpu = name("cpu");
    let new = try_ready_for_versions(&store, &cpu).unwrap();
    store.create_version(&cpu, &new, None).unwrap();
    disk.0.store(true, Ordering::Relaxed);
    let stopped = store.move_alias(&cpu, &promote(1, 0)).unwrap_err();
    disk.0.store(false, Ordering::Relaxed);
    let message = stopped.to_string();
    assert!(
        message.contains("takes no more writes") && message.contains("os error 5"),
        "{message}"
    );
    let refused: [Result<(), Error>; 6] = [
        store.move_alias(&cpu, &promote(1, 0)).map(drop),
        store.create_version(&cpu, &new, Some("key")).map(drop),
        store.record_measurement(&measurement(&cpu, "net", 0), "ann"),
        store.put_blob(b"new").map(drop),
        store.put_blob(b"log").map(drop),
        store.collect_blobs(Duration::ZERO, false, "ann").map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::WritesStopped { .. })), "{refused:?}");
    }
    assert!(matches!(store.check_writable(), Err(Error::WritesStopped { .. })));
    assert_eq!(store.version(&cpu, 1).unwrap().version, 1);
    assert_eq!(store.get_blob(&new.training_log).unwrap(), b"log");
    store.audit(0, 10).unwrap();
    // Half a change may be in memory: neither is it an edit behind the log's back, nor does it belong into a backup.
    assert!(matches!(store.verify_audit(), Err(Error::WritesStopped { .. })));
    assert!(matches!(
        store.backup(&mut Vec::new()),
        Err(Error::WritesStopped { .. })
    ));
    drop(store);
    let store = open(dir.path());
    store.check_writable().unwrap();
    store.record_measurement(&measurement(&cpu, "net", 0), "ann").unwrap();
    store.verify_audit().unwrap();
}

/// There is no space as long as the switch is on.
#[derive(Debug, Default)]
struct NoSpace(AtomicBool);

impl Disk for NoSpace {
    fn hold(&self, _: &File, _: u64) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(28));
        }
        Ok(())
    }

    fn require(&self, _: &Path, _: u64) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(28));
        }
        Ok(())
    }
}

#[test]
fn a_change_for_which_there_is_no_space_has_not_happened_and_succeeds_once_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(NoSpace::default());
    let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone()).unwrap();
    let cpu = name("cpu");
    let new = try_ready_for_versions(&store, &cpu).unwrap();
    let head = store.verify_audit().unwrap();
    disk.0.store(true, Ordering::Relaxed);
    let refused: [Result<(), Error>; 4] = [
        store.create_version(&cpu, &new, Some("key")).map(drop),
        store.record_measurement(&measurement(&cpu, "net", 0), "ann"),
        store.put_blob(b"new").map(drop),
        store.check_writable(),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::DiskFull { .. })), "{refused:?}");
    }
    assert_eq!(store.verify_audit().unwrap(), head);
    assert!(store.versions(&cpu).unwrap().is_empty());
    disk.0.store(false, Ordering::Relaxed);
    store.check_writable().unwrap();
    assert_eq!(store.create_version(&cpu, &new, Some("key")).unwrap().version, 1);
}

/// A disk that takes changes as slowly as it wants to.
#[derive(Debug, Default)]
struct Slow {
    hangs: AtomicBool,
    patience: Option<Duration>,
}

impl Disk for Slow {
    fn sync_database(&self, file: &File) -> io::Result<()> {
        while self.hangs.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        file.sync_data()
    }

    fn patience(&self) -> Duration {
        self.patience.unwrap_or(Duration::from_secs(600))
    }
}

#[test]
fn a_disk_that_hangs_stops_the_writing_and_keeps_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let patience = Some(Duration::from_secs(2));
    let disk = Arc::new(Slow {
        patience,
        ..Slow::default()
    });
    let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone()).unwrap();
    let cpu = name("cpu");
    try_ready_for_versions(&store, &cpu).unwrap();
    disk.hangs.store(true, Ordering::Relaxed);
    for net in ["net", "another net"] {
        let stopped = store.record_measurement(&measurement(&cpu, net, 0), "ann").unwrap_err();
        let message = stopped.to_string();
        assert!(
            matches!(stopped, Error::WritesStopped { .. }) && message.contains("has not taken a change for 2s"),
            "{message}"
        );
    }
    assert_eq!(store.hardware(&cpu).unwrap().name, cpu);
    disk.hangs.store(false, Ordering::Relaxed);
}

#[test]
fn writers_behind_too_many_others_are_sent_away_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Slow::default());
    let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone()).unwrap();
    let cpu = name("cpu");
    try_ready_for_versions(&store, &cpu).unwrap();
    disk.hangs.store(true, Ordering::Relaxed);
    let (told, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for net in 0..100 {
            let (told, store, cpu) = (told.clone(), &store, &cpu);
            let new = measurement(cpu, &format!("net {net}"), 0);
            scope.spawn(move || told.send(store.record_measurement(&new, "ann")));
        }
        // One writes, and 64 wait.
        let limit = Duration::from_secs(60);
        let away: Vec<_> = (0..35).map(|_| answers.recv_timeout(limit)).collect();
        disk.hangs.store(false, Ordering::Relaxed);
        for answer in away {
            assert!(matches!(answer, Ok(Err(Error::Busy { waiting: 64 }))), "{answer:?}");
        }
        for answer in answers.iter().take(65) {
            answer.unwrap();
        }
    });
    assert_eq!(store.measurements(&cpu, SPACE, None).unwrap().len(), 65);
}

/// A full disk that fails the write of a blob, and no sync, is no reason to stop.
#[test]
fn a_blob_that_does_not_fit_is_refused_and_the_store_goes_on() {
    #[derive(Debug, Default)]
    struct Full(AtomicBool);
    impl Disk for Full {
        fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
            let file = File::create(path)?;
            let fits = if self.0.load(Ordering::Relaxed) {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            io::Write::write_all(&mut &file, &bytes[..fits])?;
            if fits < bytes.len() {
                return Err(io::Error::from_raw_os_error(28));
            }
            Ok(file)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Full::default());
    let store = SledStore::open_on(dir.path(), HolderInfo::default(), disk.clone()).unwrap();
    disk.0.store(true, Ordering::Relaxed);
    let error = store.put_blob(b"a model").unwrap_err();
    assert!(
        matches!(&error, Error::DiskFull { source, .. } if source.kind() == io::ErrorKind::StorageFull),
        "{error}"
    );
    disk.0.store(false, Ordering::Relaxed);
    let digest = store.put_blob(b"a model").unwrap();
    assert_eq!(store.get_blob(&digest).unwrap(), b"a model");
}
