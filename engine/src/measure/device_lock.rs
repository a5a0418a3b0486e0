//! One device, several processes that measure on it: one holds the device's lock, and the others wait for their turn. Whoever is next
//! holds a second lock meanwhile, lest the process that had its turn takes the next one, too: the kernel gives a lock to whoever asks
//! first, and that is whoever has just given it back.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// Between two looks at a lock that somebody else holds.
const LOOK: Duration = Duration::from_millis(20);

/// A device's lock on this machine.
#[derive(Debug)]
pub struct DeviceLock {
    path: PathBuf,
    file: File,
    /// Held by whoever is next.
    next: File,
}

/// A turn, or the place of whoever is next; it ends where this is dropped.
#[derive(Debug)]
pub struct Turn<'a>(&'a File);

impl DeviceLock {
    /// Where the lock of a device is: a file for all users of the machine. `description` is what the runtime says of itself.
    pub fn path(description: &Value) -> PathBuf {
        // Two processors of one model are two devices, where the runtime tells them apart.
        let named = ["gpu_uuid", "device"]
            .into_iter()
            .find_map(|name| description.get(name)?.as_str());
        let device = named.unwrap_or("unnamed");
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        };
        let device: String = device.chars().map(plain).collect();
        std::env::temp_dir().join(format!("lglp-device-{device}.lock"))
    }

    /// # Errors
    /// Where the file can be neither opened nor created.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: file_for_all(path)?,
            next: file_for_all(&path.with_extension("next"))?,
            path: path.to_owned(),
        })
    }

    /// Waits for a turn, unless it is `stopped` before. `busy` is called once where somebody else has it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn turn(&self, busy: impl FnOnce(), stopped: &dyn Fn() -> bool) -> io::Result<Option<Turn<'_>>> {
        let mut busy = Some(busy);
        let mut busy = || busy.take().map_or((), |busy| busy());
        let Some(next) = held(&self.next, &mut busy, stopped)? else {
            return Ok(None);
        };
        let turn = held(&self.file, &mut busy, stopped)?;
        drop(next);
        Ok(turn)
    }

    /// Whether nobody measures now.
    pub fn is_free(&self) -> bool {
        let free = self.file.try_lock().is_ok();
        if free {
            let _ = self.file.unlock();
        }
        free
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.path
    }
}

/// Waits for a lock, unless it is `stopped` before.
fn held<'a>(file: &'a File, busy: &mut dyn FnMut(), stopped: &dyn Fn() -> bool) -> io::Result<Option<Turn<'a>>> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Turn(file))),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => busy(),
        }
        if stopped() {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// Another user's file in a folder for all can be read and locked, and not be opened for writing.
fn file_for_all(path: &Path) -> io::Result<File> {
    File::open(path).or_else(|_| {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o644).open(path)
    })
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Where that fails the end of the process does it.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.lock");
        let (first, second) = (DeviceLock::open(&path), DeviceLock::open(&path));
        let (first, second) = (first.expect("a lock"), second.expect("a lock"));
        let turn = |lock: &'static DeviceLock, stopped: bool| {
            let mut busy = false;
            let turn = lock.turn(|| busy = true, &|| stopped).expect("a lock");
            (turn, busy)
        };
        let (first, second) = (Box::leak(Box::new(first)), Box::leak(Box::new(second)));
        let (held, busy) = turn(first, false);
        assert!(held.is_some() && !busy);
        assert!(!second.is_free());
        let (none, busy) = turn(second, true);
        assert!(none.is_none() && busy);
        drop(held);
        assert!(second.is_free());
        assert!(turn(second, true).0.is_some());
    }

    /// Two campaigns measured on one processor: the one that began first took each of a hundred turns, and the other none.
    #[test]
    fn whoever_waits_has_the_next_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device.lock");
        let first = DeviceLock::open(&path).expect("a lock");
        let held = first.turn(|| (), &|| false).expect("a lock");
        let (waits, waiting) = std::sync::mpsc::channel();
        let (has, had) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let second = DeviceLock::open(&path).expect("a lock");
                let turn = second.turn(|| waits.send(()).expect("read"), &|| false);
                has.send("second").expect("read");
                drop(turn);
            });
            waiting.recv().expect("it waits");
            drop(held);
            drop(first.turn(|| (), &|| false).expect("a lock"));
            has.send("first again").expect("read");
        });
        assert_eq!(had.iter().take(2).collect::<Vec<_>>(), ["second", "first again"]);
    }

    #[test]
    fn a_device_has_one_file() {
        let file = |device: &str| DeviceLock::path(&serde_json::json!({ "device": device }));
        assert_ne!(file("cpu"), file("NVIDIA H100 80GB"));
        assert!(file("../../etc/passwd").parent() == file("cpu").parent());
    }
}
