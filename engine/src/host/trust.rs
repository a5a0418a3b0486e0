//! Which plugins this machine's owner lets in: those of known digests, and those that somebody signed whose key is known.
//!
//! What is looked at is what was read, and what was read is what is loaded: nobody who writes to the folder meanwhile gets in by that.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lglp_registry::Digest;
use minisign_verify::{PublicKey, Signature};
use serde::Deserialize;

use super::{PluginError, owned};

/// Behind the name of a plugin's file: its signature, as minisign writes it.
const SIGNATURE: &str = "minisig";

/// Bytes of a signature's file at most.
const LARGEST: u64 = 8 << 10;

/// What a machine's owner trusts. Everything, where nothing is said.
#[derive(Clone, Debug, Default)]
pub struct Trust(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    digests: BTreeSet<Digest>,
    keys: Vec<PublicKey>,
}

/// The file that says it, TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// SHA-256 of files of plugins.
    #[serde(default)]
    digests: BTreeSet<Digest>,
    /// Public keys of minisign, the line of base64.
    #[serde(default)]
    keys: Vec<String>,
}

impl Trust {
    /// Reads a file: `digests = ["sha256:..."]`, `keys = ["RW..."]`, each or both.
    ///
    /// # Errors
    /// `Machine`, naming the file and what is wrong in it; also where everybody may write it.
    pub fn load(file: &Path) -> Result<Self, PluginError> {
        let written: Written = owned::load(file, "says what is loaded")?;
        let keys = written.keys.iter().map(|key| {
            let read = PublicKey::from_base64(key.trim());
            read.map_err(|error| owned::fault(file, &format!("keys: `{key}` is no public key of minisign: {error}")))
        });
        let keys = keys.collect::<Result<_, _>>()?;
        let digests = written.digests;
        Ok(Self(Some(Known { digests, keys })))
    }

    /// Refuses a file that the machine's owner does not know; `bytes` is what was read of it, and `digest` its SHA-256.
    ///
    /// # Errors
    /// In words for people.
    pub fn require(&self, path: &Path, bytes: &[u8], digest: &str) -> Result<(), String> {
        let Some(known) = &self.0 else { return Ok(()) };
        if known.digests.iter().any(|one| one.as_str() == digest) {
            return Ok(());
        }
        let file = signature_of(path);
        let Some(text) = read(&file) else {
            return Err(format!(
                "this machine's owner trusts neither its digest, {digest}, nor a signature: there is no {}",
                file.display()
            ));
        };
        let signature = Signature::decode(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        match known
            .keys
            .iter()
            .any(|key| key.verify(bytes, &signature, false).is_ok())
        {
            true => Ok(()),
            false => Err(format!(
                "{} is of no key that this machine's owner trusts, or of another file",
                file.display()
            )),
        }
    }
}

/// Where the signature of a file lies.
pub fn signature_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(SIGNATURE);
    PathBuf::from(name)
}

/// A signature, where there is one.
pub(super) fn read(file: &Path) -> Option<String> {
    // Before it is opened: opening a FIFO would wait.
    let metadata = std::fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let mut text = String::new();
    File::open(file).ok()?.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}
