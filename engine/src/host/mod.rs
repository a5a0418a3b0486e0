//! The plugin host: the only place that knows `libloading`.
//!
//! A folder is scanned once. A child process loads all files first (`rehearsal.rs`), so that one that crashes, exits or hangs
//! cannot take this process down; then they are loaded here and never unloaded, since libraries with OpenMP inside do not
//! survive that. What cannot be loaded is listed with the reason, and the rest works: even where a file behaves differently
//! here, for then the process starts anew without it (`restart.rs`).

mod breaker;
mod calls;
mod child;
mod component;
mod conformance;
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
mod runtime;
mod settings;
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
pub use settings::{FILE as SETTINGS_FILE, Isolation, Policy, Settings};
pub use trust::{Trust, signature_of};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::file::Opening;
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
}

/// Every plugin of a folder.
pub struct PluginHost {
    folder: PathBuf,
    program: PathBuf,
    trust: Trust,
    policy: Policy,
    inventory: RwLock<Inventory>,
    /// Held while the folder is looked at anew, or a revision is opened.
    changing: Mutex<()>,
    kept: Option<Kept>,
    /// How long a call may take in a process of a plugin's own, where that was said.
    deadline: Mutex<Option<Duration>>,
    machine: Machine,
    /// What networks may take on this machine, where the machine's owner said it.
    network_memory: Option<u64>,
}

/// What came of looking at the folder anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rescan {
    /// Files that are new, or that another build lies under: what recipes name is that from now on.
    pub taken_up: Vec<String>,
    /// Files that are there no more.
    pub gone: Vec<String>,
    /// Files that cannot be used, or not before the next start, and why. Where there was one of the name, it goes on.
    pub left: BTreeMap<String, String>,
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
        let mut apart = found::opened_apart(&found, program).into_iter();
        let mut inventory = Inventory::default();
        for found in found {
            let is_apart = found.to_start().is_some();
            let opened = match &found.file {
                Ok(_) if is_apart => apart.next().unwrap_or_else(|| Err(found::lost())),
                Ok(file) => {
                    let rehearsed = rehearsed.next().unwrap_or(Ok(()));
                    rehearsed.and_then(|()| found::load(&file.opening))
                }
                Err(error) => Err(error.clone()),
            };
            inventory.list(found, opened);
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            program: program.to_path_buf(),
            trust: trust.clone(),
            policy: policy.clone(),
            inventory: RwLock::new(inventory),
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

    /// Looks at the folder anew. What runs in processes of its own is taken up; a library that would be loaded into this process is
    /// left to the next start.
    ///
    /// # Errors
    /// `Folder`, where it cannot be read.
    pub fn rescan(&self) -> Result<Rescan, PluginError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = file::plugins(&self.folder)?;
        let found = paths.iter().map(|path| Found::look(path, &self.trust, &self.policy));
        let before: BTreeMap<String, PluginInfo> = {
            let infos = self.infos().into_iter();
            infos.map(|info| (info.file.clone(), info)).collect()
        };
        let is_known = |found: &Found| {
            let known = before.get(&found.name);
            known.is_some_and(|known| known.sha256 == found.sha256 && known.description.is_some())
        };
        let (known, fresh): (Vec<Found>, Vec<Found>) = found.partition(is_known);
        let mut opened = found::opened_apart(&fresh, &self.program).into_iter();
        let mut rescan = Rescan {
            gone: before
                .keys()
                .filter(|name| !known.iter().chain(&fresh).any(|found| found.name == **name))
                .cloned()
                .collect(),
            ..Rescan::default()
        };
        let mut now = Inventory::default();
        {
            let old = self.inventory();
            for found in &known {
                now.take_over(&before[&found.name], &old);
            }
            for found in fresh {
                let is_apart = found.to_start().is_some();
                let outcome = match &found.file {
                    Ok(_) if is_apart => opened.next().unwrap_or_else(|| Err(found::lost())),
                    Ok(_) => Err(PluginError::NotLoadable(
                        "it runs in lglp's process, which takes it up when it is started anew".into(),
                    )),
                    Err(error) => Err(error.clone()),
                };
                let name = found.name.clone();
                let former = before.get(&name).filter(|info| info.description.is_some());
                match (outcome, former) {
                    (Err(error), Some(former)) => {
                        rescan.left.insert(name, error.to_string());
                        now.take_over(former, &old);
                    }
                    (outcome, _) => match now.list(found, outcome) {
                        None => rescan.taken_up.push(name),
                        Some(why) => drop(rescan.left.insert(name, why)),
                    },
                }
            }
            now.remember(&old);
        }
        now.infos.sort_by(|a, b| a.file.cmp(&b.file));
        *self.inventory.write().unwrap_or_else(PoisonError::into_inner) = now;
        self.limit_all();
        Ok(rescan)
    }

    /// Keeps the revisions of these digests, for the versions that were fitted with them; none where no registry is kept for.
    ///
    /// # Errors
    /// `Folder`, where they cannot be written.
    pub fn keep<'a>(&self, digests: impl IntoIterator<Item = &'a str>) -> Result<(), PluginError> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let openings: Vec<Opening> = {
            let inventory = self.inventory();
            let found = digests
                .into_iter()
                .filter_map(|digest| inventory.opening(digest).cloned());
            found.collect()
        };
        openings.iter().try_for_each(|opening| kept.keep(opening))
    }

    /// The component that a part of a version was fitted with: of the very revision, where that is in the folder or was kept; else
    /// of the plugin that provides it now.
    ///
    /// # Errors
    /// As [`Self::component`].
    pub fn fitted_with(
        &self,
        kind: ComponentKind,
        name: &str,
        plugin: &str,
        sha256: &str,
    ) -> Result<ComponentHandle, PluginError> {
        let opened = || self.inventory().revision(kind, name, sha256).cloned();
        if let Some(component) = opened() {
            return Ok(component);
        }
        if let Some(file) = self.kept.as_ref().and_then(|kept| kept.file(sha256)) {
            let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(component) = opened() {
                return Ok(component);
            }
            match self.open_kept(&file, sha256) {
                Ok(()) => {}
                Err(error) => tracing::warn!(
                    "{} is not what a version goes on with, but the build that is in the plugin folder: {error}",
                    file.display()
                ),
            }
            if let Some(component) = opened() {
                return Ok(component);
            }
        }
        let inventory = self.inventory();
        let of_plugin = inventory.component(&self.folder, kind, name, Some(plugin));
        let found = of_plugin.or_else(|_| inventory.component(&self.folder, kind, name, None));
        found.cloned()
    }

    /// Opens a revision that was kept, in processes of its own, wherever it ran before.
    fn open_kept(&self, file: &Path, sha256: &str) -> Result<(), PluginError> {
        let policy = self.policy.clone().apart();
        let found = Found::look(file, &self.trust, &policy);
        if found.file.is_ok() && found.sha256 != sha256 {
            return Err(PluginError::NotLoadable(
                "it is not what was kept under this digest".into(),
            ));
        }
        let (file, settings) = (found.file?, found.settings.ok_or_else(found::lost)?);
        let opened = isolated::open(&file.opening, &self.program, &settings)?;
        let mut inventory = self.inventory.write().unwrap_or_else(PoisonError::into_inner);
        inventory.add_older(&file.opening, &opened.components);
        drop(inventory);
        file.keep_open();
        self.limit_all();
        Ok(())
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
            info.lost_processes = component.map_or(0, |component| component.health().lost());
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

    /// The plugins in quarantine, and why.
    pub fn quarantined(&self) -> BTreeMap<String, String> {
        let of = |component: &ComponentHandle| Some((component.plugin().to_owned(), component.health().quarantine()?));
        self.inventory().all().filter_map(of).collect()
    }

    /// Plugins that run in processes of their own, and how many of these were lost in calls.
    pub fn lost_processes(&self) -> BTreeMap<String, u64> {
        let inventory = self.inventory();
        let isolated = inventory.current().iter().filter(|component| component.is_isolated());
        isolated
            .map(|component| (component.plugin().to_owned(), component.health().lost()))
            .collect()
    }

    /// Refuses a plugin in quarantine; one that is not there is no fault here.
    ///
    /// # Errors
    /// `Quarantined`.
    pub fn admit(&self, plugin: &str) -> Result<(), PluginError> {
        let inventory = self.inventory();
        let found = inventory
            .current()
            .iter()
            .find(|component| component.plugin() == plugin);
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
