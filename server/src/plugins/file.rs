//! One file of the plugin folder: looked at, read and hashed through one descriptor, by which it is also loaded.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{PluginError, native};

/// Bytes of a plugin at most: it is read as a whole.
const LARGEST: u64 = 1 << 30;

/// What it takes to load a file, in this process or in a child that inherits the descriptor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opening {
    /// Its path, for people.
    pub shown: String,
    /// The same number in every process, since a library sees it as its own name.
    pub descriptor: RawFd,
    /// `sha256:` and 64 hexadecimal digits.
    pub sha256: String,
    /// The libraries that it is linked with.
    pub needed: Vec<String>,
}

/// An open regular file.
pub struct PluginFile {
    pub opening: Opening,
    file: File,
    /// What the file was when it was read.
    read: Stamp,
}

/// What changes when a file is written to.
#[derive(PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl PluginFile {
    /// Opens and reads a file; links are followed. Never waits, as opening a FIFO would.
    pub fn open(path: &Path) -> Result<Self, PluginError> {
        let shown = path.display().to_string();
        let not_loadable = |why: &dyn std::fmt::Display| PluginError::NotLoadable(format!("{shown}: {why}"));
        // Before it is opened: a socket cannot be, and opening a device may do something.
        require_regular(&std::fs::metadata(path).map_err(|e| not_loadable(&e))?).map_err(|why| not_loadable(&why))?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path).map_err(|e| not_loadable(&e))?;
        let metadata = file.metadata().map_err(|e| not_loadable(&e))?;
        require_regular(&metadata).map_err(|why| not_loadable(&why))?;
        let mut bytes = Vec::new();
        let read = (&file).take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|e| not_loadable(&e))?;
        if bytes.len() as u64 > LARGEST {
            return Err(not_loadable(&format!(
                "larger than {} MiB, too large for a plugin",
                LARGEST >> 20
            )));
        }
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self {
            opening: Opening {
                descriptor: file.as_raw_fd(),
                sha256: format!("sha256:{hash}"),
                needed: native::needed(&bytes).unwrap_or_default(),
                shown,
            },
            read: Stamp::of(&metadata),
            file,
        })
    }

    /// Succeeds where nobody has written to the file since it was read. A file that was put in its place is another one, and
    /// does not matter.
    pub fn require_unchanged(&self) -> Result<(), PluginError> {
        let now = self.file.metadata().map(|metadata| Stamp::of(&metadata));
        if now.is_ok_and(|now| now == self.read) {
            return Ok(());
        }
        Err(PluginError::NotLoadable(format!(
            "{}: it was written to while it was tried out; put plugins in place by renaming",
            self.opening.shown
        )))
    }

    /// Keeps the descriptor open for good: the loader tells libraries apart by name, and a number must not come twice.
    pub fn keep_open(self) {
        std::mem::forget(self.file);
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn require_regular(metadata: &Metadata) -> Result<(), String> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(format!("it is {what}, and a plugin is a regular file"))
}

/// The entries of a folder that are named like plugins, in the order of their names.
pub fn shared_objects(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let entries = std::fs::read_dir(folder).map_err(|e| {
        let folder = folder.display();
        PluginError::Folder(format!(
            "cannot read the plugin folder {folder}: {e}; build the plugins or give --plugins DIR"
        ))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "so"))
        .collect();
    files.sort();
    Ok(files)
}
