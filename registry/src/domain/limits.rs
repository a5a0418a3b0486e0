//! How large what enters the registry may be. Little of it can be taken out again, and much of it stands in the audit log, which
//! is for good.

use std::io;

use serde::Serialize;

use crate::{Error, Result};

/// A text that names something or tells people why: an actor, a reason, a note; bytes.
pub(crate) const TEXT: usize = 4 << 10;

/// A text of the version of a program; bytes.
pub(super) const VERSION: usize = 64;

/// The canonical text of an architecture; bytes.
pub(super) const ARCHITECTURE: usize = 16 << 10;

/// What a machine, or a measuring, is described by; bytes of JSON.
pub(super) const DESCRIPTION: usize = 16 << 10;

/// What work is told, or keeps: parameters, recipes, checkpoints; bytes of JSON.
pub(crate) const DOCUMENT: usize = 256 << 10;

/// What a job gives back; bytes of JSON.
pub(super) const RESULT: usize = 1 << 20;

/// What a version or a validation holds in all, its blobs apart; bytes of JSON.
pub(super) const CONTENT: usize = 16 << 20;

/// Residuals of a version: each one that is loaded holds them.
pub(super) const RESIDUALS: usize = 1_000_000;

/// Runs of one measurement.
pub(super) const SAMPLES: usize = 100_000;

/// Remarks on one measurement, or reasons in its conditions.
pub(super) const REMARKS: usize = 64;

/// Machines that may measure for one hardware target beside the one that it was created on.
pub(crate) const MACHINES: usize = 64;

/// Checks that a text says something, in [`TEXT`] bytes.
///
/// # Errors
/// `Invalid`, naming the field.
pub(crate) fn text(field: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    bytes(field, text.len(), TEXT)
}

/// Checks the length of a text that may be empty.
///
/// # Errors
/// `Invalid`, naming the field.
pub(crate) fn short(field: &str, text: &str) -> Result<()> {
    bytes(field, text.len(), TEXT)
}

/// Checks a size in bytes.
///
/// # Errors
/// `Invalid`, naming the field, its size and the limit.
pub(super) fn bytes(field: &str, size: usize, most: usize) -> Result<()> {
    within(field, size, most, "bytes")
}

/// Checks how many there are of something.
///
/// # Errors
/// `Invalid`, naming the field, the number and the limit.
pub(crate) fn count(field: &str, number: usize, most: usize) -> Result<()> {
    within(field, number, most, "entries")
}

/// Checks the size of a document, as JSON.
///
/// # Errors
/// `Invalid`, naming the field, its size and the limit.
pub(crate) fn document(field: &str, document: &impl Serialize, most: usize) -> Result<()> {
    let mut size = Size(0);
    serde_json::to_writer(&mut size, document).map_err(|error| Error::invalid(field, error.to_string()))?;
    bytes(field, size.0, most)
}

/// Cuts a text of this program's own to [`TEXT`] bytes: what a program or a library said may be long.
pub(crate) fn cut(mut text: String) -> String {
    const MARK: &str = " ...";
    if text.len() > TEXT {
        text.truncate(text.floor_char_boundary(TEXT - MARK.len()));
        text.push_str(MARK);
    }
    text
}

fn within(field: &str, size: usize, most: usize, unit: &str) -> Result<()> {
    if size <= most {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!("expected at most {most} {unit}, got {size}"),
    ))
}

/// Counts what is written, and keeps nothing of it.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_told_with_size_and_limit() {
        assert!(text("reason", &"r".repeat(TEXT)).is_ok());
        let said = text("reason", &"r".repeat(TEXT + 1)).unwrap_err().to_string();
        assert_eq!(said, "reason: expected at most 4096 bytes, got 4097");
        let said = document("settings", &serde_json::json!({ "a": "b" }), 8)
            .unwrap_err()
            .to_string();
        assert_eq!(said, "settings: expected at most 8 bytes, got 9");
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        let text = cut("ä".repeat(TEXT));
        assert!(text.len() <= TEXT && text.ends_with("ä ..."), "{}", text.len());
        assert_eq!(cut("short".into()), "short");
    }
}
