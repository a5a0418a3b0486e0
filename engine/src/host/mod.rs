//! The plugin host: the only place that knows `libloading`.
//!
//! A folder is scanned once. A child process loads all files first (`rehearsal.rs`), so that one that crashes, exits or hangs
//! cannot take this process down; then they are loaded here and never unloaded, since libraries with OpenMP inside do not
//! survive that. What cannot be loaded is listed with the reason, and the rest works: even where a file behaves differently
//! here, for then the process starts anew without it (`restart.rs`).

mod calls;
mod child;
mod component;
mod conformance;
mod encoder;
mod error;
mod file;
mod fitted;
mod health;
mod in_process;
mod instance;
mod machine;
mod memory;
mod offers;
mod owned;
mod runtime;
mod trust;

pub use component::{ComponentDescription, ComponentHandle, ComponentKind, PluginDescription};
pub use conformance::{Asked, CheckedComponent, Finding, Report, Verdict, check};
pub use encoder::EncoderInstance;
pub use error::PluginError;
pub use fitted::{FitData, FittedInstance, LabelledRows, Matrix};
pub use health::{CallWatch, GivenUp, Tenant};
pub use in_process::native_folder;
pub use machine::{FILE as MACHINE_FILE, Machine, Runtime};
pub use offers::{Spread, Summed, SumsLengths, choose};
pub use runtime::{NetworkInstance, RuntimeInstance, TimedRun};
pub use trust::{Trust, signature_of};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use self::file::{Opening, PluginFile};
use self::in_process::Library;

/// One file of the plugin folder, as it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginInfo {
    /// File name within the plugin folder.
    pub file: String,
    /// `sha256:` and 64 hexadecimal digits: the revision of the plugin. Empty where the file cannot be read.
    pub sha256: String,
    /// Set where the plugin can be used.
    pub description: Option<PluginDescription>,
    /// Why it cannot be used; set exactly where `description` is not.
    pub unavailable: Option<String>,
}

/// Every plugin of a folder.
pub struct PluginHost {
    folder: PathBuf,
    infos: Vec<PluginInfo>,
    components: Components,
    machine: Machine,
    /// What networks may take on this machine, where the machine's owner said it.
    network_memory: Option<u64>,
}

/// What plugins provide: no two components of one kind and name.
#[derive(Default)]
struct Components(Vec<ComponentHandle>);

impl PluginHost {
    /// Rehearses and loads every `*.so` of `folder`, in the order of file names. Files that cannot be used are listed, not
    /// fatal; a missing folder is. `program` is the lglp that is started for rehearsals.
    ///
    /// Where loading a file ends this process after all, the process starts anew: call this before anything that must not be
    /// done twice.
    pub fn open(folder: &Path, program: &Path) -> Result<Self, PluginError> {
        Self::open_trusted(folder, program, &Trust::default())
    }

    /// The same, of those files that are trusted; others are listed as unavailable, and never loaded.
    pub fn open_trusted(folder: &Path, program: &Path, trust: &Trust) -> Result<Self, PluginError> {
        let paths = file::shared_objects(folder)?;
        let opened = paths.iter().map(|path| PluginFile::open(path, trust));
        let mut files: Vec<Result<PluginFile, PluginError>> = opened.collect();
        let mut sums = Vec::with_capacity(files.len());
        for file in &mut files {
            sums.push(
                file.as_ref()
                    .map(|file| file.opening.sha256.clone())
                    .unwrap_or_default(),
            );
            if let Ok(opened) = file
                && let Err(error) = in_process::require_not_left_out(&opened.opening)
            {
                *file = Err(error);
            }
        }
        let rehearsed = {
            let openings: Vec<&Opening> = files.iter().flatten().map(|file| &file.opening).collect();
            in_process::rehearse(program, &openings)
        };
        let mut rehearsed = rehearsed.into_iter();
        let mut components = Components::default();
        let mut infos = Vec::with_capacity(files.len());
        for ((path, sha256), file) in paths.iter().zip(sums).zip(files) {
            let loaded = file.and_then(|file| {
                rehearsed.next().unwrap_or(Ok(()))?;
                load(file, &mut components)
            });
            let (description, unavailable) = match loaded {
                Ok(description) => (Some(description), None),
                Err(error) => (None, Some(error.to_string())),
            };
            infos.push(PluginInfo {
                file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                sha256,
                description,
                unavailable,
            });
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            infos,
            components,
            machine: Machine::default(),
            network_memory: None,
        })
    }

    /// Every file of the folder, usable or not.
    pub fn infos(&self) -> &[PluginInfo] {
        &self.infos
    }

    /// The file of the plugin that provides a component.
    pub fn file_of(&self, kind: ComponentKind, name: &str) -> Option<PathBuf> {
        let provides = |info: &&PluginInfo| {
            let components = info.description.iter().flat_map(|description| &description.components);
            components.into_iter().any(|one| one.kind == kind && one.name == name)
        };
        let info = self.infos.iter().find(provides)?;
        Some(self.folder.join(&info.file))
    }

    /// The plugins in quarantine, and why.
    pub fn quarantined(&self) -> BTreeMap<String, String> {
        let of = |component: &ComponentHandle| Some((component.plugin().to_owned(), component.health().quarantine()?));
        self.components.0.iter().filter_map(of).collect()
    }

    /// Refuses a plugin in quarantine; one that is not there is no fault here.
    ///
    /// # Errors
    /// `Quarantined`.
    pub fn admit(&self, plugin: &str) -> Result<(), PluginError> {
        let found = self.components.0.iter().find(|component| component.plugin() == plugin);
        found.map_or(Ok(()), |component| component.health().admit())
    }

    /// The component of a kind and name.
    pub fn component(&self, kind: ComponentKind, name: &str) -> Result<&ComponentHandle, PluginError> {
        let found = self.components.0.iter().find(|c| c.kind() == kind && c.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self
                .components
                .0
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

/// The bytes of a plugin's file, which is a regular one of a size that plugins have.
///
/// # Errors
/// `NotLoadable`, where it is not, or is written to meanwhile.
pub fn read(path: &Path) -> Result<Vec<u8>, PluginError> {
    file::read(path)
}

/// What this process is to do where a host started it, and the status that it ends with. A program that has a plugin host begins with it.
pub fn child_process() -> Option<ExitCode> {
    in_process::child().or_else(conformance::child)
}

/// Loads a rehearsed file into this process.
fn load(file: PluginFile, components: &mut Components) -> Result<PluginDescription, PluginError> {
    let loaded = in_process::guarded(&file.opening, in_process::PATIENCE, || {
        Library::open(&file.opening).and_then(|library| components.admit(library))
    });
    file.keep_open();
    loaded
}

impl Components {
    /// Takes a library's components in, unless one of them has the name of another of its kind, there already or of the same library.
    fn admit(&mut self, library: &'static Library) -> Result<PluginDescription, PluginError> {
        let description = library.describe()?;
        let fresh = library.components()?;
        for (at, new) in fresh.iter().enumerate() {
            let same = |old: &&ComponentHandle| old.kind() == new.kind() && old.name() == new.name();
            if let Some(old) = self.0.iter().chain(&fresh[..at]).find(same) {
                let (kind, name) = (new.kind(), new.name());
                let reason = match fresh[..at].iter().find(same) {
                    Some(_) => format!("it provides two components of the kind {kind} with the name `{name}`"),
                    None => format!(
                        "its {kind} `{name}` is already provided by the plugin `{}`",
                        old.plugin()
                    ),
                };
                return Err(PluginError::Rejected(reason));
            }
        }
        self.0.extend(fresh);
        Ok(description)
    }
}
