//! Which folder is a registry, and of which format.
//!
//! A folder is a registry when it has a `format.json` that names one. A folder without it is made into a registry
//! only where it is empty, or holds no more than the traces of a creation that was cut short.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::storage::durable::Durable;
use crate::storage::files::{failed, read};
use crate::{Error, Result};

const NAME: &str = "lglp-registry";
/// Since 2 a record may be packed.
const VERSION: u32 = 2;
/// What a registry of before becomes a newer one of: nothing of it is written anew.
const OLDEST: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Format {
    format: String,
    version: u32,
}

/// Whether `dir` is a registry, which was made whole once.
///
/// # Errors
/// [`Error::NotARegistry`] and [`Error::NewerFormat`] where its `format.json` names something else; [`Error::Io`].
pub fn is_registry(dir: impl AsRef<Path>) -> Result<bool> {
    version(dir.as_ref()).map(|version| version.is_some())
}

/// Makes sure that `dir` is a registry of a known format or may become one, before anything is written there. Creates
/// the folder where it is missing.
pub(super) fn prepare(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    if version(dir)?.is_some() {
        return Ok(());
    }
    match foreign_entry(dir)? {
        // Another process may have finished creating the registry in between.
        Some(entry) if version(dir)?.is_none() => {
            Err(not_a_registry(dir, format!("it holds {entry:?} and no format.json")))
        }
        _ => Ok(()),
    }
}

/// Makes `dir` a registry of this format, with the lock held, where it is not one yet. `create_blobs` makes the folders of
/// the blobs. What is missing from one that was complete is not made anew.
pub(super) fn settle(dir: &Path, durable: &Durable, create_blobs: impl FnOnce() -> Result<()>) -> Result<()> {
    if let Some(version) = version(dir)? {
        for part in ["db", "blobs"] {
            if !dir.join(part).is_dir() {
                return Err(not_a_registry(dir, format!("its folder {part} is missing")));
            }
        }
        // Before anything is written that an older program cannot read.
        return if version < VERSION { mark(dir, durable) } else { Ok(()) };
    }
    // What webhooks are signed with lies here in clear.
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(failed("close to others", dir))?;
    durable.create_folder(&dir.join("db"))?;
    create_blobs()?;
    mark(dir, durable)
}

/// Makes the folder of a whole registry count as one.
pub(super) fn mark(dir: &Path, durable: &Durable) -> Result<()> {
    let text = serde_json::to_vec(&Format {
        format: NAME.to_owned(),
        version: VERSION,
    });
    let text = text.expect("a format has a JSON form");
    durable.write(&dir.join("format.json.tmp"), &dir.join("format.json"), &text)
}

/// The version of the format of the registry in `dir`, where there is one.
fn version(dir: &Path) -> Result<Option<u32>> {
    let Some(bytes) = read(&dir.join("format.json"))? else {
        return Ok(None);
    };
    let format: Format = serde_json::from_slice(&bytes)
        .map_err(|error| not_a_registry(dir, format!("its format.json cannot be read: {error}")))?;
    if format.format != NAME {
        return Err(not_a_registry(dir, format!("its format.json says {:?}", format.format)));
    }
    match format.version {
        found @ OLDEST..=VERSION => Ok(Some(found)),
        found if found > VERSION => Err(Error::NewerFormat {
            dir: dir.to_owned(),
            found,
            supported: VERSION,
        }),
        found => Err(not_a_registry(
            dir,
            format!("its format.json says version {found}, which never was"),
        )),
    }
}

/// What the folder holds that an interrupted creation would not have left.
fn foreign_entry(dir: &Path) -> Result<Option<String>> {
    for entry in list(dir)? {
        let path = dir.join(&entry);
        let ours = match entry.as_str() {
            "lock" | "holder.json" | "holder.json.tmp" | "format.json.tmp" => true,
            "db" => is_empty_folder(&path),
            "blobs" if path.is_dir() => list(&path)?
                .iter()
                .all(|part| matches!(part.as_str(), "sha256" | "tmp") && is_empty_folder(&path.join(part))),
            _ => false,
        };
        if !ours {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

fn is_empty_folder(path: &Path) -> bool {
    list(path).is_ok_and(|entries| entries.is_empty())
}

fn list(dir: &Path) -> Result<Vec<String>> {
    fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        })
        .map_err(failed("list", dir))
}

fn not_a_registry(dir: &Path, reason: impl Into<String>) -> Error {
    Error::NotARegistry {
        dir: dir.to_owned(),
        reason: reason.into(),
    }
}
