//! The plugin host: the only place that knows `libloading`.
//!
//! What ships with lglp runs in this process. A child process loads all of its files first (`in_process/rehearsal.rs`), so that one that
//! crashes, exits or hangs cannot take this process down; then they are loaded here and never unloaded, since libraries with OpenMP
//! inside do not survive that. Other plugins run in processes of their own (`isolated/`). What cannot be used is listed with the
//! reason, and the rest works: even where a file behaves differently here, for then the process starts anew without it
//! (`in_process/restart.rs`).

mod admission;
mod breaker;
mod calls;
mod child;
mod component;
mod components;
mod conformance;
mod elf;
mod encoder;
mod error;
mod file;
mod fitted;
mod found;
mod health;
mod in_process;
mod instance;
mod inventory;
mod isolated;
mod kept;
mod machine;
mod memory;
mod offers;
mod owned;
mod revisions;
mod runtime;
mod schema;
mod settings;
mod trust;

pub use component::{ComponentDescription, ComponentHandle, ComponentKind, PluginDescription};
pub use conformance::{Asked, CheckedComponent, Finding, Purpose, Report, Verdict, check};
pub use encoder::EncoderInstance;
pub use error::PluginError;
pub use fitted::{FitData, FittedInstance, LabelledRows, Matrix};
pub use health::{CallWatch, GivenUp, Tenant};
pub use in_process::native_folder;
pub use machine::{FILE as MACHINE_FILE, Machine, Runtime};
pub use offers::{Spread, Summed, SumsLengths, choose};
pub use revisions::Rescan;
pub use runtime::{NetworkInstance, RuntimeInstance, TimedRun};
pub use settings::{FILE as SETTINGS_FILE, Isolation, Policy, Settings};
pub use trust::{Trust, signature_of};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::found::Found;
use self::inventory::Inventory;
use self::kept::Kept;

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
    /// In which process it runs; none where the file cannot be read.
    pub isolation: Option<Isolation>,
    /// What its processes are restricted by; nothing where it runs in this one.
    #[serde(default)]
    pub restricted: Vec<String>,
    /// How many of its processes were lost in calls.
    #[serde(default)]
    pub lost_processes: u64,
    /// Why it is asked nothing for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
}

/// Every plugin of a folder.
pub struct PluginHost {
    folder: PathBuf,
    program: PathBuf,
    trust: Trust,
    policy: Policy,
    inventory: RwLock<Inventory>,
    /// Held while the folder is looked at anew.
    rescanning: Mutex<()>,
    /// Held while it is changed what there is, and not while that is checked.
    changing: Mutex<()>,
    kept: Option<Kept>,
    /// How long a call may take in a process of a plugin's own, where that was said.
    deadline: Mutex<Option<Duration>>,
    machine: Machine,
    /// What networks may take on this machine, where the machine's owner said it.
    network_memory: Option<u64>,
}

impl PluginHost {
    /// Opens every plugin of `folder`, in the order of file names. Files that cannot be used are listed, not fatal; a missing folder
    /// is. `program` is the lglp that is started for rehearsals, and to run plugins in processes of their own.
    ///
    /// Where loading a file ends this process after all, the process starts anew: call this before anything that must not be
    /// done twice.
    pub fn open(folder: &Path, program: &Path) -> Result<Self, PluginError> {
        let policy = Policy::default().everywhere(Some(Isolation::InProcess));
        Self::open_with(folder, program, &Trust::default(), &policy)
    }

    /// The same of those files that are trusted, each in the process that the policy says; others are listed as unavailable, and never
    /// loaded.
    pub fn open_with(folder: &Path, program: &Path, trust: &Trust, policy: &Policy) -> Result<Self, PluginError> {
        let paths = file::plugins(folder)?;
        let found: Vec<Found> = paths.iter().map(|path| Found::look(path, trust, policy)).collect();
        let mut rehearsed = {
            let here = found.iter().filter_map(Found::to_load);
            in_process::rehearse(program, &here.collect::<Vec<_>>()).into_iter()
        };
        let apart = found::opened_apart(&found, program);
        let mut inventory = Inventory::default();
        for (found, apart) in found.into_iter().zip(apart) {
            let opened = match (apart, &found.file) {
                (Some(apart), _) => apart,
                (None, Ok(file)) => {
                    let rehearsed = rehearsed.next().unwrap_or(Ok(()));
                    rehearsed.and_then(|()| found::load(&file.opening))
                }
                (None, Err(error)) => Err(error.clone()),
            };
            inventory.list(found, opened);
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            program: program.to_path_buf(),
            trust: trust.clone(),
            policy: policy.clone(),
            inventory: RwLock::new(inventory),
            rescanning: Mutex::default(),
            changing: Mutex::default(),
            kept: None,
            deadline: Mutex::default(),
            machine: Machine::default(),
            network_memory: None,
        })
    }

    /// The same, which keeps the revisions that versions are fitted with in a registry's folder, and finds them there.
    #[must_use]
    pub fn keeping(mut self, registry: &Path) -> Self {
        self.kept = Some(Kept::new(registry));
        self
    }

    fn inventory(&self) -> RwLockReadGuard<'_, Inventory> {
        self.inventory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how long a call may take in a process of a plugin's own, where the machine's owner has not said it of that plugin.
    pub fn limit_calls(&self, deadline: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
        self.limit_all();
    }

    fn limit_all(&self) {
        if let Some(deadline) = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) {
            self.inventory()
                .all()
                .for_each(|component| component.health().limit(deadline));
        }
    }

    /// Every file of the folder, usable or not.
    pub fn infos(&self) -> Vec<PluginInfo> {
        let inventory = self.inventory();
        let mut infos = inventory.infos.clone();
        for info in &mut infos {
            let component = inventory.current().iter().find(|one| one.sha256() == info.sha256);
            if let Some(component) = component {
                info.lost_processes = component.health().lost();
                info.quarantined = component.health().quarantine();
            }
        }
        infos
    }

    /// The file of the plugin that provides a component.
    pub fn file_of(&self, kind: ComponentKind, name: &str) -> Option<PathBuf> {
        let provides = |info: &&PluginInfo| {
            let components = info.description.iter().flat_map(|description| &description.components);
            components.into_iter().any(|one| one.kind == kind && one.name == name)
        };
        let inventory = self.inventory();
        let info = inventory.infos.iter().find(provides)?;
        Some(self.folder.join(&info.file))
    }

    /// The plugins in quarantine, and why; builds that are in the folder no more have a part of their digest behind the name.
    pub fn quarantined(&self) -> BTreeMap<String, String> {
        let inventory = self.inventory();
        let is_current = |component: &ComponentHandle| {
            let mut current = inventory.current().iter();
            current.any(|one| one.sha256() == component.sha256())
        };
        let of = |component: &ComponentHandle| {
            let reason = component.health().quarantine()?;
            let plugin = component.plugin().to_owned();
            let digest = component.sha256().trim_start_matches("sha256:");
            Some(match is_current(component) {
                true => (plugin, reason),
                false => (format!("{plugin} ({})", &digest[..digest.len().min(12)]), reason),
            })
        };
        inventory.all().filter_map(of).collect()
    }

    /// Plugins that run in processes of their own, and how many of these were lost in calls.
    pub fn lost_processes(&self) -> BTreeMap<String, u64> {
        let inventory = self.inventory();
        let isolated = inventory.current().iter().filter(|component| component.is_isolated());
        isolated
            .map(|component| (component.plugin().to_owned(), component.health().lost()))
            .collect()
    }

    /// Refuses a build of a plugin that is in quarantine; one that is not there is no fault here.
    ///
    /// # Errors
    /// `Quarantined`.
    pub fn admit(&self, sha256: &str) -> Result<(), PluginError> {
        let inventory = self.inventory();
        let found = inventory.all().find(|component| component.sha256() == sha256);
        found.map_or(Ok(()), |component| component.health().admit())
    }

    /// The component of a kind and name.
    ///
    /// # Errors
    /// `NoSuchComponent`; `SeveralProvide`, where several plugins do.
    pub fn component(&self, kind: ComponentKind, name: &str) -> Result<ComponentHandle, PluginError> {
        self.component_of(kind, name, None)
    }

    /// The same of a plugin that is named, where one is.
    ///
    /// # Errors
    /// As above.
    pub fn component_of(
        &self,
        kind: ComponentKind,
        name: &str,
        plugin: Option<&str>,
    ) -> Result<ComponentHandle, PluginError> {
        self.inventory().component(&self.folder, kind, name, plugin).cloned()
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
    in_process::child().or_else(isolated::child).or_else(conformance::child)
}
