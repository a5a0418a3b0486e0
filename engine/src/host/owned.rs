//! Files by which a machine's owner decides, TOML: nobody else may.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lglp_sdk::strict;
use serde::de::DeserializeOwned;

use super::PluginError;
use crate::text;

/// Reads one; `does` is what it does, which is why not everybody may write it.
///
/// # Errors
/// `Machine` where it cannot be read, is not what it should be, or can be written by everybody.
pub(super) fn load<T: DeserializeOwned>(file: &Path, does: &str) -> Result<T, PluginError> {
    let mode = std::fs::metadata(file)
        .map_err(|error| fault(file, &error))?
        .permissions()
        .mode();
    if mode & 0o002 != 0 {
        let open = format!("everybody may write it, and it {does}: chmod o-w");
        return Err(fault(file, &open));
    }
    let text = text::read(file).map_err(|error| fault(file, &error))?;
    strict::from_toml(&text).map_err(|error| fault(file, &error))
}

/// What is wrong with such a file.
pub(super) fn fault(file: &Path, why: &dyn std::fmt::Display) -> PluginError {
    PluginError::Machine(format!("{}: {why}", file.display()))
}
