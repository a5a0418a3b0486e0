//! Exporting: from the registry into a bundle, and onto the disk.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lglp_registry::{Digest, HardwareName, Registry};

use super::BundleError;
use super::manifest::{Manifest, NamedBlob};

/// A bundle that was made.
pub struct Exported {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The SHA-256 of all of it.
    pub digest: Digest,
}

/// The bundle of a version. The same version gives the same bytes.
pub fn export(store: &dyn Registry, hardware: &HardwareName, version: u32) -> Result<Exported, BundleError> {
    let version = store.version(hardware, version)?;
    let hardware_target = store.hardware(hardware)?;
    let dataset = store.dataset(hardware, &version.content.dataset)?;
    let mut blobs: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    let mut named = Vec::new();
    for (role, digest) in Manifest::roles(&version.content) {
        if !blobs.contains_key(digest) {
            blobs.insert(digest.clone(), store.get_blob(digest)?);
        }
        named.push(NamedBlob {
            role,
            sha256: digest.clone(),
            bytes: blobs[digest].len() as u64,
        });
    }
    let bytes = Manifest::new(hardware_target, version, dataset, named).bundle(&blobs)?;
    let digest = Digest::of(&bytes);
    Ok(Exported { bytes, digest })
}

/// Writes a bundle: whole and durable, or not at all. A file that is there is replaced only with `force`.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]; whatever writing fails with.
pub fn export_to(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !force && path.try_exists()? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // Readable as files of this user are; temporary ones would be the user's alone.
    let mut temporary = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .prefix(".lglp-export-")
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    if force {
        temporary.persist(path)?;
    } else {
        temporary.persist_noclobber(path)?;
    }
    File::open(folder)?.sync_all()
}
