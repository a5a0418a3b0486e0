//! Reading files that people write.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use lglp_sdk::utf8;

/// The text of a file, without the mark that some programs begin it with.
///
/// # Errors
/// Those of the system; `InvalidData` where it is not UTF-8, saying what it is instead.
pub fn read(path: &Path) -> Result<String> {
    of(&std::fs::read(path)?)
}

/// The text that bytes are, without their mark.
///
/// # Errors
/// `InvalidData` where they are not UTF-8.
pub fn of(bytes: &[u8]) -> Result<String> {
    match utf8::text(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(not) => Err(Error::new(ErrorKind::InvalidData, not)),
    }
}
