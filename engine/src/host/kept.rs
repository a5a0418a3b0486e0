//! Revisions of plugins that versions were fitted with, kept in the registry's folder: a version goes on with the build that it knows,
//! whatever comes into the plugin folder.
//!
//! Only this host writes there, and only what it has opened from the plugin folder: blobs of the registry, which clients bring, are
//! never run.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::file::{self, Opening};
use super::{PluginError, signature_of};

/// Name of the folder, in the registry's.
const FOLDER: &str = "plugins";

/// Where they are kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    registry: PathBuf,
}

impl Kept {
    pub(super) fn new(registry: &Path) -> Self {
        Self {
            registry: registry.to_owned(),
        }
    }

    /// The folder of one revision.
    fn folder(&self, sha256: &str) -> Option<PathBuf> {
        let digest = sha256.strip_prefix("sha256:")?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| self.registry.join(FOLDER).join(digest))
    }

    /// The file of a revision, where it is kept.
    pub(super) fn file(&self, sha256: &str) -> Option<PathBuf> {
        file::plugins(&self.folder(sha256)?).ok()?.into_iter().next()
    }

    /// Keeps a revision, with its signature where there is one; durable when it returns.
    pub(super) fn keep(&self, opening: &Opening) -> Result<(), PluginError> {
        let Some(folder) = self.folder(&opening.sha256) else {
            return Ok(());
        };
        // Where there is no registry, there are no versions that need it.
        if folder.exists() || !self.registry.is_dir() {
            return Ok(());
        }
        self.write(&folder, opening).map_err(|error| {
            PluginError::Folder(format!(
                "cannot keep the plugin {} in {}: {error}",
                opening.shown,
                folder.display()
            ))
        })
    }

    fn write(&self, folder: &Path, opening: &Opening) -> std::io::Result<()> {
        let all = self.registry.join(FOLDER);
        fs::create_dir_all(&all)?;
        let making = tempfile::TempDir::new_in(&all)?;
        let shown = Path::new(&opening.shown);
        let bytes = fs::read(format!("/proc/self/fd/{}", opening.descriptor))?;
        let signature = signature_of(shown);
        let signed = opening.signature.as_ref().map(|text| text.clone().into_bytes());
        let files = [(Some(bytes), shown), (signed, &signature)];
        for (bytes, path) in files {
            if let (Some(bytes), Some(name)) = (bytes, path.file_name()) {
                let mut file = File::create_new(making.path().join(name))?;
                file.write_all(&bytes)?;
                file.sync_all()?;
            }
        }
        File::open(making.path())?.sync_all()?;
        // Whole or not at all; another process may have been first.
        match fs::rename(making.path(), folder) {
            Err(_) if folder.exists() => return Ok(()),
            renamed => renamed?,
        }
        let _ = making.keep();
        File::open(&all)?.sync_all()
    }
}
