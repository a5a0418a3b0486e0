//! What stays between networks and jobs: engines that were built, and TensorRT's timing cache.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lglp_sdk::plugin::PluginError;
use sha2::{Digest, Sha256};

/// A folder of engines, the latest ones, and of timing caches.
pub(crate) struct Cache {
    folder: PathBuf,
    engines: usize,
    /// Device, TensorRT and settings: all that an engine hangs on beside its network.
    context: String,
}

impl Cache {
    /// The given folder, or one in the user's cache folder; made where it is not there.
    pub(crate) fn open(folder: Option<&Path>, engines: usize, context: String) -> Result<Self, PluginError> {
        let folder = folder.map_or_else(users, Path::to_owned);
        for part in ["engines", "timing"] {
            let part = folder.join(part);
            std::fs::create_dir_all(&part).map_err(|problem| {
                let part = part.display();
                PluginError::Unavailable(format!(
                    "{part}: {problem}; name a folder that can be written by `cache`"
                ))
            })?;
        }
        Ok(Self {
            folder,
            engines,
            context,
        })
    }

    /// Where the engine of a network is, or would be.
    pub(crate) fn engine(&self, onnx: &[u8]) -> PathBuf {
        let mut digest = Sha256::new();
        digest.update(&self.context);
        digest.update([0]);
        digest.update(onnx);
        self.folder
            .join("engines")
            .join(format!("{:x}.plan", digest.finalize()))
    }

    /// TensorRT's timing cache for one device and version.
    pub(crate) fn timings(&self, about: &str) -> PathBuf {
        let digest = Sha256::digest(about);
        self.folder.join("timing").join(format!("{digest:x}.cache"))
    }

    /// Takes an engine from the cache to `to`, where it stays whatever becomes of the cache; whether there was one.
    pub(crate) fn take(&self, cached: &Path, to: &Path) -> bool {
        linked(cached, to).is_ok()
    }

    /// Keeps an engine, and lets the oldest ones go. That it cannot be kept costs a build later, and nothing else.
    pub(crate) fn keep(&self, engine: &Path, cached: &Path) {
        if self.engines == 0 {
            return;
        }
        let beside = cached.with_extension(format!("{}.part", std::process::id()));
        if linked(engine, &beside)
            .and_then(|()| std::fs::rename(&beside, cached))
            .is_err()
        {
            let _ = std::fs::remove_file(&beside);
        }
        let Ok(files) = std::fs::read_dir(self.folder.join("engines")) else {
            return;
        };
        let mut engines: Vec<(SystemTime, PathBuf)> = files
            .filter_map(Result::ok)
            .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
            .collect();
        engines.sort();
        let too_many = engines.len().saturating_sub(self.engines);
        for (_, oldest) in &engines[..too_many] {
            let _ = std::fs::remove_file(oldest);
        }
    }

    /// Lets an engine go that turned out to be of no use.
    pub(crate) fn forget(&self, cached: &Path) {
        let _ = std::fs::remove_file(cached);
    }
}

/// One file under two names, or a copy where the two folders lie on two disks.
fn linked(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(|_| ()))
}

fn users() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    folder.unwrap_or_else(std::env::temp_dir).join("lglp/tensorrt")
}
