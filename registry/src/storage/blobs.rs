//! Content-addressed blobs in a folder: values of any size, written once, verified whenever they are read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use super::durable::Durable;
use super::files::{failed, read};
use crate::{Digest, Error, Result};

/// The blobs of one registry.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    durable: Arc<Durable>,
    next: AtomicU64,
    /// Shared by those who put, exclusive for who removes: a blob that was found to be there stays until it is young.
    removal: RwLock<()>,
}

/// A file in the folder of the blobs.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) path: PathBuf,
    /// The digest in its name; `None` where it is not named as a blob is.
    pub(crate) digest: Option<Digest>,
    pub(crate) bytes: u64,
    /// When it was put last.
    pub(crate) modified: SystemTime,
}

impl Blobs {
    /// Creates the folders of `root`.
    pub(crate) fn create(root: &Path, durable: &Durable) -> Result<()> {
        durable.create_folder(root)?;
        durable.create_folder(&root.join("sha256"))?;
        durable.create_folder(&root.join("tmp"))
    }

    /// Opens `root` and removes what a killed writer left half written. No other process may have it open.
    pub(crate) fn open(root: PathBuf, durable: Arc<Durable>) -> Result<Self> {
        Self::create(&root, &durable)?;
        for left in list(&root.join("tmp"))? {
            fs::remove_file(&left).map_err(failed("remove", &left))?;
        }
        Ok(Self {
            root,
            durable,
            next: AtomicU64::new(0),
            removal: RwLock::new(()),
        })
    }

    /// Stores a blob. One that is there already counts as put now, and one that was damaged on disk is replaced.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        let _kept = self.removal.read().unwrap_or_else(PoisonError::into_inner);
        if read(&path)?.is_some_and(|stored| stored == bytes) {
            let touched = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
            touched.map_err(failed("touch", &path))?;
            // Its writer may have been killed between the rename and the sync of the folder.
            self.durable.sync_parent(&path)?;
            return Ok(digest);
        }
        self.durable.require(bytes.len() as u64)?;
        self.durable
            .create_folder(path.parent().expect("a blob lies in a folder"))?;
        self.durable.write(&self.temporary(), &path, bytes)?;
        Ok(digest)
    }

    /// A blob's content, verified; `None` where there is no such blob.
    pub(crate) fn find(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let path = self.path(digest);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found == *digest {
            Ok(Some(bytes))
        } else {
            Err(Error::CorruptBlob {
                file: path.display().to_string(),
                expected: digest.clone(),
                found,
            })
        }
    }

    /// A blob's content, verified.
    pub(crate) fn get(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.find(digest)?.ok_or_else(|| Error::not_found("blob", digest))
    }

    /// Whether there is such a blob; its content is not looked at.
    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// A blob's size in bytes, where there is such a blob.
    pub(crate) fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|metadata| metadata.len())
    }

    /// A blob's content, unverified, where there is such a blob and it is JSON: it begins like an object or a list.
    pub(crate) fn json(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let path = self.path(digest);
        let mut first = [0];
        match File::open(&path).and_then(|mut file| file.read(&mut first)) {
            Ok(_) if matches!(&first, b"{" | b"[") => read(&path),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Every file in the folder of the blobs, by path.
    pub(crate) fn list(&self) -> Result<Vec<Stored>> {
        let mut all = Vec::new();
        for folder in list(&self.root.join("sha256"))? {
            for path in list(&folder)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let digest = Digest::from_hex(&name).ok().filter(|digest| self.path(digest) == path);
                let metadata = fs::metadata(&path).map_err(failed("look at", &path))?;
                let modified = metadata.modified().map_err(failed("look at", &path))?;
                let bytes = metadata.len();
                all.push(Stored {
                    path,
                    digest,
                    bytes,
                    modified,
                });
            }
        }
        Ok(all)
    }

    /// Removes a blob that has not been put since `before`; whether it did.
    pub(crate) fn remove(&self, digest: &Digest, before: SystemTime) -> Result<bool> {
        let path = self.path(digest);
        let _alone = self.removal.write().unwrap_or_else(PoisonError::into_inner);
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
        if modified.map_err(failed("look at", &path))? > before {
            return Ok(false);
        }
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        Ok(true)
    }

    /// A path for something half written, that the next opener removes.
    pub(crate) fn temporary(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.root.join("tmp").join(number.to_string())
    }

    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("sha256").join(&hex[..2]).join(hex)
    }
}

/// The entries of a folder, by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(failed("list", folder))?;
    paths.sort_unstable();
    Ok(paths)
}
