//! The plugin host: the only place that knows `libloading`.
//!
//! A folder is scanned once. Each file is probed in a child process first, so that one that crashes on load cannot take
//! the server down; then it is opened and never unloaded, since libraries with OpenMP inside do not survive that. What
//! cannot be opened is listed with the reason, and the rest works.

mod call;
mod encoder;
mod error;
mod fitted;
mod health;
mod library;
mod native;
mod probe;
mod runtime;

pub use call::native_folder;
pub use encoder::EncoderInstance;
pub use error::PluginError;
pub use fitted::{FitData, FittedInstance, LabelledRows, Matrix};
pub use health::{CallWatch, GivenUp};
pub use library::{ComponentHandle, Kind};
pub use probe::{describe, main as probe_main};
pub use runtime::{NetworkInstance, RuntimeInstance, TimedRun};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One file of the plugin folder, as it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginInfo {
    /// File name within the plugin folder.
    pub file: String,
    /// `sha256:` and 64 hexadecimal digits: the revision of the plugin.
    pub sha256: String,
    /// Set where the plugin can be used.
    pub description: Option<PluginDescription>,
    /// Why it cannot be used; set exactly where `description` is not.
    pub unavailable: Option<String>,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginDescription {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub components: Vec<ComponentDescription>,
}

/// One component of a plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ComponentDescription {
    pub kind: Kind,
    pub name: String,
    pub summary: String,
    /// Version of the fitted state that it writes; 0 where it has none.
    pub state_version: u32,
    /// JSON Schema of its parameters.
    pub parameters: serde_json::Value,
}

/// Every plugin of a folder.
pub struct PluginHost {
    folder: PathBuf,
    infos: Vec<PluginInfo>,
    components: Vec<ComponentHandle>,
}

impl PluginHost {
    /// Probes and opens every `*.so` of `folder`, in the order of file names. Files that cannot be used are listed, not
    /// fatal; a missing folder is. `program` is the lglp that probes them in child processes.
    pub fn open(folder: &Path, program: &Path) -> Result<Self, PluginError> {
        let files = shared_objects(folder)?;
        let mut infos = Vec::with_capacity(files.len());
        let mut components: Vec<ComponentHandle> = Vec::new();
        for (file, probed) in files.iter().zip(probe::probe_all(program, &files)) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let opened = match probed {
                Ok(()) => library::Library::open(file),
                Err(error) => Err(error),
            };
            let sha256 = library::sha256_of(file).unwrap_or_default();
            let (description, unavailable) = match opened.and_then(|l| admit(l, &mut components)) {
                Ok(description) => (Some(description), None),
                Err(error) => (None, Some(error.to_string())),
            };
            infos.push(PluginInfo {
                file: name,
                sha256,
                description,
                unavailable,
            });
        }
        let folder = folder.to_path_buf();
        Ok(Self {
            folder,
            infos,
            components,
        })
    }

    /// Every file of the folder, usable or not.
    pub fn infos(&self) -> &[PluginInfo] {
        &self.infos
    }

    /// The plugins in quarantine, and why.
    pub fn quarantined(&self) -> BTreeMap<String, String> {
        let of = |component: &ComponentHandle| Some((component.plugin().to_owned(), component.health().quarantine()?));
        self.components.iter().filter_map(of).collect()
    }

    /// Refuses a plugin in quarantine; one that is not there is no fault here.
    ///
    /// # Errors
    /// `Quarantined`.
    pub fn admit(&self, plugin: &str) -> Result<(), PluginError> {
        let found = self.components.iter().find(|component| component.plugin() == plugin);
        found.map_or(Ok(()), |component| component.health().admit())
    }

    /// The component of a kind and name.
    pub fn component(&self, kind: Kind, name: &str) -> Result<&ComponentHandle, PluginError> {
        let found = self.components.iter().find(|c| c.kind() == kind && c.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self
                .components
                .iter()
                .filter(|c| c.kind() == kind)
                .map(ComponentHandle::name)
                .collect();
            let broken: Vec<String> = self
                .infos
                .iter()
                .filter_map(|i| i.unavailable.as_ref().map(|why| format!("{}: {why}", i.file)))
                .collect();
            PluginError::NoSuchComponent {
                kind,
                name: name.to_owned(),
                available: names.join(", "),
                folder: self.folder.display().to_string(),
                broken: broken.join("; "),
            }
        })
    }
}

/// Takes a library's components in, unless one of them has the name of a component that is there already.
fn admit(
    library: &'static library::Library,
    components: &mut Vec<ComponentHandle>,
) -> Result<PluginDescription, PluginError> {
    let description = library.describe()?;
    let fresh = library.components()?;
    for new in &fresh {
        if let Some(old) = components
            .iter()
            .find(|c| c.kind() == new.kind() && c.name() == new.name())
        {
            return Err(PluginError::Rejected(format!(
                "its {} `{}` is already provided by the plugin `{}`",
                new.kind(),
                new.name(),
                old.plugin()
            )));
        }
    }
    components.extend(fresh);
    Ok(description)
}

fn shared_objects(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let entries = std::fs::read_dir(folder).map_err(|e| {
        let folder = folder.display();
        PluginError::Folder(format!(
            "cannot read the plugin folder {folder}: {e}; build the plugins or give --plugins DIR"
        ))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "so"))
        .collect();
    files.sort();
    Ok(files)
}
