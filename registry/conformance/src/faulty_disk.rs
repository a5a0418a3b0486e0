//! A disk that fails at random moments, as the same seed has it every time.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use lglp_registry::Disk;

/// I/O error and full disk, as Linux numbers them.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// A disk whose every step fails once in so many times: not done, half done or done and denied.
#[derive(Debug)]
pub struct FaultyDisk {
    state: AtomicU64,
    one_in: u64,
    faults: AtomicU64,
}

impl FaultyDisk {
    /// A disk on which one of `one_in` steps fails.
    pub fn new(seed: u64, one_in: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
            one_in,
            faults: AtomicU64::new(0),
        }
    }

    /// How many steps have failed.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Whether this step fails, and if so whether it is undone rather than done (`true`).
    fn strikes(&self) -> Option<bool> {
        // SplitMix64, which needs no lock.
        let mut x = self.state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        let strikes = (x >> 1).is_multiple_of(self.one_in);
        self.faults.fetch_add(u64::from(strikes), Ordering::Relaxed);
        strikes.then_some(x & 1 == 0)
    }
}

fn broken() -> io::Error {
    io::Error::from_raw_os_error(EIO)
}

fn full() -> io::Error {
    io::Error::from_raw_os_error(ENOSPC)
}

impl Disk for FaultyDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        let Some(undone) = self.strikes() else {
            let mut file = File::create(path)?;
            file.write_all(bytes)?;
            return Ok(file);
        };
        if undone {
            return Err(broken());
        }
        File::create(path)?.write_all(&bytes[..bytes.len() / 2])?;
        Err(full())
    }

    /// A failed sync loses what was written: half of the file is gone, and the next sync says nothing of it.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        if self.strikes().is_none() {
            return file.sync_all();
        }
        if path.is_file() {
            file.set_len(file.metadata()?.len() / 2)?;
        }
        Err(broken())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let strikes = self.strikes();
        if strikes != Some(true) {
            std::fs::rename(from, to)?;
        }
        strikes.map_or(Ok(()), |_| Err(broken()))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match self.strikes() {
            Some(_) => Err(full()),
            None => std::fs::create_dir(path),
        }
    }

    fn apply(&self, db: &sled::Db, batch: sled::Batch) -> sled::Result<()> {
        let strikes = self.strikes();
        if strikes != Some(true) {
            db.apply_batch(batch)?;
        }
        strikes.map_or(Ok(()), |_| Err(full().into()))
    }

    fn flush(&self, db: &sled::Db) -> sled::Result<()> {
        let strikes = self.strikes();
        if strikes != Some(true) {
            db.flush()?;
        }
        strikes.map_or(Ok(()), |_| Err(full().into()))
    }

    fn sync_database(&self, file: &File) -> io::Result<()> {
        match self.strikes() {
            Some(_) => Err(broken()),
            None => file.sync_data(),
        }
    }
}
