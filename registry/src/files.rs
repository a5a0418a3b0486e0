//! Writing files that are either there, whole and durable, or not there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::{Error, Result};

/// Names the file in an I/O error.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

/// Writes `bytes` to `temporary`, syncs it, renames it to `destination` and syncs the folder. Both paths lie on one
/// file system.
pub(crate) fn write_durably(temporary: &Path, destination: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(temporary).map_err(failed("create", temporary))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed("write", temporary))?;
    fs::rename(temporary, destination).map_err(failed("rename", temporary))?;
    sync_parent(destination)
}

/// Makes the entry of `path` in its folder durable.
pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    let folder = path.parent().expect("a file of the registry lies in a folder");
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", folder))
}

/// Creates a folder and makes it durable, where it is missing.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("create", path)(error)),
    }
}

/// The bytes of a file, or `None` where there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}
