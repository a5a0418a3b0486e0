//! Native libraries of plugins: whatever a plugin is linked with is looked for in the native folder first.
//!
//! The loader reads `LD_LIBRARY_PATH` once, at the start of the process, and `$ORIGIN` is of no help for a file that is
//! opened by its descriptor. But it takes a library that is already open for one that is needed by that name. So the host
//! opens them beforehand, those that others need first.

use std::collections::HashSet;
use std::path::Path;

use crate::host::PluginError;
use crate::host::elf::needed;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

/// Opens those of the needed libraries that lie in `folder`. The others are the system's business.
pub(super) fn preload(needed: &[String], folder: &Path) -> Result<(), PluginError> {
    preload_needed(needed, folder, &mut HashSet::new())
}

fn preload_needed(names: &[String], folder: &Path, seen: &mut HashSet<String>) -> Result<(), PluginError> {
    for name in names {
        let path = folder.join(name);
        if !seen.insert(name.clone()) || !path.is_file() {
            continue;
        }
        let fail = |e: &dyn std::fmt::Display| PluginError::NotLoadable(format!("{}: {e}", path.display()));
        let dependency = std::fs::File::open(&path).map_err(|e| fail(&e))?;
        // SAFETY: native libraries are pinned by checksum when they are installed; nobody writes to them afterwards.
        let mapped = unsafe { memmap2::Mmap::map(&dependency) }.map_err(|e| fail(&e))?;
        preload_needed(&needed(&mapped).unwrap_or_default(), folder, seen)?;
        // SAFETY: running its initialisers is what loading a plugin that is linked with it would do.
        let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL) }.map_err(|e| fail(&e))?;
        std::mem::forget(library);
    }
    Ok(())
}
