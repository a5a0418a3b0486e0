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
mod health;
mod in_process;
mod instance;
mod isolated;
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
use std::thread;

use serde::{Deserialize, Serialize};

use self::file::{Language, Opening, PluginFile};
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
    /// In which process it runs; none where the file cannot be read.
    pub isolation: Option<Isolation>,
    /// What its processes are restricted by; nothing where it runs in this one.
    #[serde(default)]
    pub restricted: Vec<String>,
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
        let mut apart = opened_apart(&found, program).into_iter();
        let mut components = Components::default();
        let mut infos = Vec::with_capacity(found.len());
        for found in found {
            let Found {
                name,
                sha256,
                settings,
                file,
            } = found;
            let isolation = settings.as_ref().map(|settings| settings.isolation);
            let opened = file.and_then(|file| match isolation {
                Some(Isolation::Process) => {
                    let plugin = apart.next().unwrap_or_else(|| Err(lost()))?;
                    file.keep_open();
                    components
                        .admit(plugin.description, plugin.components)
                        .map(|told| (told, plugin.restricted))
                }
                _ => {
                    rehearsed.next().unwrap_or(Ok(()))?;
                    load(file, &mut components).map(|told| (told, Vec::new()))
                }
            });
            let (description, restricted, unavailable) = match opened {
                Ok((description, restricted)) => (Some(description), restricted, None),
                Err(error) => (None, Vec::new(), Some(error.to_string())),
            };
            infos.push(PluginInfo {
                file: name,
                sha256,
                description,
                unavailable,
                isolation,
                restricted,
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

    /// Sets how long a call may take in a process of a plugin's own, where the machine's owner has not said it of that plugin.
    pub fn limit_calls(&self, deadline: std::time::Duration) {
        for component in &self.components.0 {
            component.health().limit(deadline);
        }
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

    /// Plugins that run in processes of their own, and how many of these were lost in calls.
    pub fn lost_processes(&self) -> BTreeMap<String, u64> {
        let isolated = self.components.0.iter().filter(|component| component.is_isolated());
        isolated
            .map(|component| (component.plugin().to_owned(), component.health().lost()))
            .collect()
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
    in_process::child().or_else(isolated::child).or_else(conformance::child)
}

/// A file of the folder, looked at.
struct Found {
    name: String,
    /// Empty where it cannot be read.
    sha256: String,
    settings: Option<Settings>,
    file: Result<PluginFile, PluginError>,
}

impl Found {
    fn look(path: &Path, trust: &Trust, policy: &Policy) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = PluginFile::open(path, trust);
        let sha256 = file
            .as_ref()
            .map(|file| file.opening.sha256.clone())
            .unwrap_or_default();
        let settings = file.is_ok().then(|| policy.of(&name, &sha256));
        if let (Ok(opened), Some(settings)) = (&file, &settings)
            && let Err(error) = may_run(&opened.opening, settings)
        {
            file = Err(error);
        }
        Self {
            name,
            sha256,
            settings,
            file,
        }
    }

    /// What is to be loaded into this process.
    fn to_load(&self) -> Option<&Opening> {
        let is_apart = self.to_start().is_some();
        self.file.as_ref().ok().map(|file| &file.opening).filter(|_| !is_apart)
    }

    /// What is to be started in a process of its own.
    fn to_start(&self) -> Option<(&Opening, &Settings)> {
        let settings = self.settings.as_ref()?;
        let file = self.file.as_ref().ok()?;
        (settings.isolation == Isolation::Process).then_some((&file.opening, settings))
    }
}

fn may_run(file: &Opening, settings: &Settings) -> Result<(), PluginError> {
    match (settings.isolation, file.language) {
        (Isolation::Process, _) => Ok(()),
        (Isolation::InProcess, Language::Native) => in_process::require_not_left_out(file),
        (Isolation::InProcess, Language::Python) => Err(PluginError::NotLoadable(
            "a Python program runs in processes of its own: say isolation = \"process\" of it in plugins.toml".into(),
        )),
    }
}

/// Starts plugins that run in processes of their own, side by side, so that many that hang cost no more than one.
fn opened_apart(found: &[Found], program: &Path) -> Vec<Result<isolated::Plugin, PluginError>> {
    let start = |(file, settings): (&Opening, &Settings)| isolated::open(file, program, settings);
    thread::scope(|scope| {
        let started = found.iter().filter_map(Found::to_start);
        let started: Vec<_> = started.map(|one| scope.spawn(move || start(one))).collect();
        let joined = started
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err(lost())));
        joined.collect()
    })
}

fn lost() -> PluginError {
    PluginError::NotLoadable("it was not started".into())
}

/// Loads a rehearsed file into this process.
fn load(file: PluginFile, components: &mut Components) -> Result<PluginDescription, PluginError> {
    let loaded = in_process::guarded(&file.opening, in_process::PATIENCE, || {
        let library = Library::open(&file.opening)?;
        components.admit(library.describe()?, library.components()?)
    });
    file.keep_open();
    loaded
}

impl Components {
    /// Takes a plugin's components in, unless one of them has the name of another of its kind, there already or of the same plugin.
    fn admit(
        &mut self,
        description: PluginDescription,
        fresh: Vec<ComponentHandle>,
    ) -> Result<PluginDescription, PluginError> {
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
