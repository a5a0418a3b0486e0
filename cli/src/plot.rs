//! Curves in files.

use std::path::Path;

use anyhow::Context as _;

use lglp_engine::plots::{Curves, lines};

/// Writes curves as SVG.
pub(crate) fn write_lines(file: &Path, curves: &Curves<'_>) -> anyhow::Result<()> {
    std::fs::write(file, lines(curves)?).with_context(|| format!("cannot write {}", file.display()))
}
