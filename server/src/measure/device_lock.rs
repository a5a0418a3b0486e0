//! One device, several processes that measure on it: one holds the device's lock, and the others wait for their turn.

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
}

/// A turn; it ends where this is dropped.
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
        // Another user's file in a folder for all can be read and locked, and not be opened for writing.
        let file = File::open(path).or_else(|_| {
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o644).open(path)
        })?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Waits for a turn, unless it is `stopped` before. `busy` is called once where somebody else has it.
    ///
    /// # Errors
    /// Those of the system.
    pub fn turn(&self, busy: impl FnOnce(), stopped: &dyn Fn() -> bool) -> io::Result<Option<Turn<'_>>> {
        let mut busy = Some(busy);
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Some(Turn(&self.file))),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(busy) = busy.take() {
                busy();
            }
            if stopped() {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
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

    #[test]
    fn a_device_has_one_file() {
        let file = |device: &str| DeviceLock::path(&serde_json::json!({ "device": device }));
        assert_ne!(file("cpu"), file("NVIDIA H100 80GB"));
        assert!(file("../../etc/passwd").parent() == file("cpu").parent());
    }
}
