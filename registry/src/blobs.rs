//! Content-addressed blobs in a folder: values of any size, written once, verified whenever they are read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{create_folder, failed, read, sync_parent, write_durably};
use crate::{Digest, Error, Result};

/// The blobs of one registry.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    next: AtomicU64,
}

impl Blobs {
    /// Creates the folders of `root`.
    pub(crate) fn create(root: &Path) -> Result<()> {
        create_folder(root)?;
        create_folder(&root.join("sha256"))?;
        create_folder(&root.join("tmp"))
    }

    /// Opens `root` and removes what a killed writer left half written. No other process may have it open.
    pub(crate) fn open(root: PathBuf) -> Result<Self> {
        Self::create(&root)?;
        let temporary = root.join("tmp");
        for entry in fs::read_dir(&temporary).map_err(failed("list", &temporary))? {
            let left = entry.map_err(failed("list", &temporary))?.path();
            fs::remove_file(&left).map_err(failed("remove", &left))?;
        }
        Ok(Self {
            root,
            next: AtomicU64::new(0),
        })
    }

    /// Stores a blob. One that is there already is left alone, and one that was damaged on disk is replaced.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        if read(&path)?.is_some_and(|stored| stored == bytes) {
            // Its writer may have been killed between the rename and the sync of the folder.
            sync_parent(&path)?;
            return Ok(digest);
        }
        create_folder(path.parent().expect("a blob lies in a folder"))?;
        let temporary = self
            .root
            .join("tmp")
            .join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        write_durably(&temporary, &path, bytes)?;
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

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("sha256").join(&hex[..2]).join(hex)
    }
}
