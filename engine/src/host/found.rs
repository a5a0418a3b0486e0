//! Files of the plugin folder, looked at, and opened in whichever process they run.

use std::path::Path;
use std::thread;

use super::component::Opened;
use super::file::{Language, Opening, PluginFile};
use super::in_process::{self, Library};
use super::{Isolation, PluginError, Policy, Settings, Trust, isolated};

/// A file of the folder, looked at.
pub(super) struct Found {
    pub name: String,
    /// Empty where it cannot be read.
    pub sha256: String,
    pub settings: Option<Settings>,
    pub file: Result<PluginFile, PluginError>,
}

impl Found {
    pub(super) fn look(path: &Path, trust: &Trust, policy: &Policy) -> Self {
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
    pub(super) fn to_load(&self) -> Option<&Opening> {
        let is_apart = self.to_start().is_some();
        self.file.as_ref().ok().map(|file| &file.opening).filter(|_| !is_apart)
    }

    /// What is to be started in a process of its own.
    pub(super) fn to_start(&self) -> Option<(&Opening, &Settings)> {
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

/// Starts plugins that run in processes of their own, side by side, so that many that hang cost no more than one; what came of each
/// file, none of those that run in this one.
pub(super) fn opened_apart(found: &[Found], program: &Path) -> Vec<Option<Result<Opened, PluginError>>> {
    thread::scope(|scope| {
        let start = |one| {
            let (file, settings) = Found::to_start(one)?;
            Some(scope.spawn(move || isolated::open(file, program, settings)))
        };
        let started: Vec<_> = found.iter().map(start).collect();
        let joined = started.into_iter();
        joined
            .map(|one| one.map(|one| one.join().unwrap_or_else(|_| Err(lost()))))
            .collect()
    })
}

pub(super) fn lost() -> PluginError {
    PluginError::NotLoadable("it was not started".into())
}

/// Loads a rehearsed file into this process.
pub(super) fn load(file: &Opening) -> Result<Opened, PluginError> {
    in_process::guarded(file, in_process::PATIENCE, || Library::open(file)?.opened())
}
