//! One file of the plugin folder: looked at and read through one descriptor, hashed, and kept as a copy, which is what is loaded.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write as _};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, OFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{PluginError, Trust, elf, signature_of, trust};

/// Bytes of a plugin at most: it is read as a whole.
const LARGEST: u64 = 1 << 30;

/// What a plugin is written in, as far as the host has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Language {
    /// A shared library.
    Native,
    /// A Python program.
    Python,
}

impl Language {
    /// What the name of a file tells; none where it is not named like a plugin.
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "so" => Some(Self::Native),
            "py" => Some(Self::Python),
            _ => None,
        }
    }
}

/// What it takes to load a file, in this process or in a child that inherits the descriptor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    /// Its path, for people.
    pub shown: String,
    /// The same number in every process, since a library sees it as its own name.
    pub descriptor: RawFd,
    /// `sha256:` and 64 hexadecimal digits.
    pub sha256: String,
    /// The libraries that it is linked with.
    pub needed: Vec<String>,
    pub language: Language,
    /// The signature that lay beside it when it was read.
    #[serde(skip)]
    pub signature: Option<String>,
}

/// A plugin as it was when it was read: a copy of its own in memory, sealed, so that nobody who writes to the file, or puts another
/// in its place, changes what this process runs.
pub(super) struct PluginFile {
    pub opening: Opening,
    copy: File,
}

impl PluginFile {
    /// Opens and reads a file, as [`read`] does, which the machine's owner must trust.
    pub(super) fn open(path: &Path, trust: &Trust) -> Result<Self, PluginError> {
        let shown = path.display().to_string();
        let not_loadable = |why: &dyn std::fmt::Display| PluginError::NotLoadable(format!("{shown}: {why}"));
        let bytes = read(path)?;
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let sha256 = format!("sha256:{hash}");
        trust.require(path, &bytes, &sha256).map_err(|why| not_loadable(&why))?;
        let language = Language::of(path).unwrap_or(Language::Native);
        let unusable = match language {
            Language::Native => elf::not_loadable(&bytes),
            Language::Python => std::str::from_utf8(&bytes).err().map(|error| error.to_string()),
        };
        if let Some(why) = unusable {
            return Err(not_loadable(&why));
        }
        let copy =
            sealed(&name_of(path), &bytes).map_err(|e| not_loadable(&format!("cannot keep it in memory: {e}")))?;
        Ok(Self {
            opening: Opening {
                descriptor: copy.as_raw_fd(),
                sha256,
                needed: elf::needed(&bytes).unwrap_or_default(),
                shown,
                language,
                signature: trust::read(&signature_of(path)),
            },
            copy,
        })
    }

    /// Keeps the descriptor open for good: the loader tells libraries apart by name, and a number must not come twice.
    pub(super) fn keep_open(self) {
        std::mem::forget(self.copy);
    }
}

/// Opens and reads a file; links are followed. Never waits, as opening a FIFO would.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, PluginError> {
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
    let now = file.metadata().map_err(|e| not_loadable(&e))?;
    if stamp(&now) != stamp(&metadata) || bytes.len() as u64 != now.len() {
        return Err(not_loadable(
            &"it was written to while it was read; start lglp again once it is there as a whole",
        ));
    }
    Ok(bytes)
}

/// What changes when a file is written to.
fn stamp(metadata: &Metadata) -> impl PartialEq + use<> {
    let (modified, changed) = (
        (metadata.mtime(), metadata.mtime_nsec()),
        (metadata.ctime(), metadata.ctime_nsec()),
    );
    (metadata.size(), modified, changed)
}

/// Bytes of a name in memory at most, as the kernel has it.
const LONGEST: usize = 249;

/// What the kernel shows of a file's copy, to debuggers and to the plugin itself, which may look for something beside its file: the
/// path, or its last part where that is too long.
fn name_of(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let last = path.file_name().unwrap_or_default().to_string_lossy();
    let whole = whole.to_string_lossy();
    let name = if whole.len() <= LONGEST { whole } else { last };
    name[..name.floor_char_boundary(LONGEST)].to_owned()
}

/// Bytes in memory that can be run and are never changed.
fn sealed(name: &str, bytes: &[u8]) -> std::io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know the flag, and need none.
    let memory = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags))?;
    let mut file = File::from(memory);
    file.write_all(bytes)?;
    fcntl_add_seals(
        &file,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )?;
    Ok(file)
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
pub(super) fn plugins(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let entries = std::fs::read_dir(folder).map_err(|e| {
        let folder = folder.display();
        PluginError::Folder(format!(
            "cannot read the plugin folder {folder}: {e}; build the plugins or give --plugins DIR"
        ))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| Language::of(path).is_some())
        .collect();
    files.sort();
    Ok(files)
}
