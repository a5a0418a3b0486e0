//! What the plugin folder provides, and revisions from before that versions were fitted with.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::Opening;
use super::found::{Found, Opened};
use super::{ComponentHandle, ComponentKind, PluginDescription, PluginError, PluginInfo};

/// What there is.
#[derive(Default)]
pub(super) struct Inventory {
    pub infos: Vec<PluginInfo>,
    /// What recipes and hardware targets name: those of the files that are in the folder now.
    current: Components,
    /// Those of revisions that are in the folder no more.
    older: Vec<ComponentHandle>,
    /// The bytes of each revision that was opened, by its digest.
    openings: BTreeMap<String, Opening>,
}

/// What plugins provide: no two components of one plugin's name, kind and name.
#[derive(Default)]
pub(super) struct Components(Vec<ComponentHandle>);

impl Components {
    /// Takes a plugin's components in, unless one of them is there already, or twice in the same plugin.
    pub(super) fn admit(
        &mut self,
        description: &PluginDescription,
        fresh: &[ComponentHandle],
    ) -> Result<(), PluginError> {
        for (at, new) in fresh.iter().enumerate() {
            let (kind, name) = (new.kind(), new.name());
            let same = |old: &&ComponentHandle| old.kind() == kind && old.name() == name;
            if fresh[..at].iter().any(|old| same(&old)) {
                let reason = format!("it provides two components of the kind {kind} with the name `{name}`");
                return Err(PluginError::Rejected(reason));
            }
            if self.0.iter().filter(same).any(|old| old.plugin() == description.name) {
                let reason = format!(
                    "its {kind} `{name}` is already provided by the plugin `{}`: plugins of one name have different components",
                    description.name
                );
                return Err(PluginError::Rejected(reason));
            }
        }
        self.0.extend_from_slice(fresh);
        Ok(())
    }
}

impl Inventory {
    /// Takes a plugin in.
    fn admit(&mut self, file: &Opening, opened: Opened) -> Result<(PluginDescription, Vec<String>), PluginError> {
        let Opened {
            description,
            components,
            restricted,
        } = opened;
        self.current.admit(&description, &components)?;
        self.openings.insert(file.sha256.clone(), file.clone());
        Ok((description, restricted))
    }

    /// Lists a file with what came of opening it; why it cannot be used, where that is so.
    pub(super) fn list(&mut self, found: Found, opened: Result<Opened, PluginError>) -> Option<String> {
        let Found {
            name,
            sha256,
            settings,
            file,
        } = found;
        let admitted = file.and_then(|file| {
            let admitted = opened.and_then(|opened| self.admit(&file.opening, opened));
            // Whatever came of it, something of the file may have been loaded.
            file.keep_open();
            admitted
        });
        let (description, restricted, unavailable) = match admitted {
            Ok((description, restricted)) => (Some(description), restricted, None),
            Err(error) => (None, Vec::new(), Some(error.to_string())),
        };
        self.infos.push(PluginInfo {
            file: name,
            sha256,
            description,
            unavailable: unavailable.clone(),
            isolation: settings.map(|settings| settings.isolation),
            restricted,
            lost_processes: 0,
        });
        unavailable
    }

    /// Takes over a file that is as it was in another inventory.
    pub(super) fn take_over(&mut self, info: &PluginInfo, from: &Self) {
        let kept = from.current.0.iter().filter(|one| one.sha256() == info.sha256);
        self.current.0.extend(kept.cloned());
        self.infos.push(info.clone());
    }

    /// Remembers, of the inventory before, what is in the folder no more.
    pub(super) fn remember(&mut self, before: &Self) {
        let (now, older) = (&self.current.0, &mut self.older);
        let is_gone = |one: &&ComponentHandle| !now.iter().any(|new| new.sha256() == one.sha256());
        older.extend(before.older.iter().chain(&before.current.0).filter(is_gone).cloned());
        for (sha256, opening) in &before.openings {
            self.openings.entry(sha256.clone()).or_insert_with(|| opening.clone());
        }
    }

    /// Takes in a revision that is not in the folder.
    pub(super) fn add_older(&mut self, file: &Opening, components: &[ComponentHandle]) {
        self.older.extend_from_slice(components);
        self.openings.insert(file.sha256.clone(), file.clone());
    }

    /// What was read of a revision that was opened.
    pub(super) fn opening(&self, sha256: &str) -> Option<&Opening> {
        self.openings.get(sha256)
    }

    /// What there is of the folder's files.
    pub(super) fn current(&self) -> &[ComponentHandle] {
        &self.current.0
    }

    /// All that was opened.
    pub(super) fn all(&self) -> impl Iterator<Item = &ComponentHandle> {
        self.current.0.iter().chain(&self.older)
    }

    /// A component of one revision.
    pub(super) fn revision(&self, kind: ComponentKind, name: &str, sha256: &str) -> Option<&ComponentHandle> {
        self.all()
            .find(|one| one.kind() == kind && one.name() == name && one.sha256() == sha256)
    }

    /// The component of a kind and name, and of a plugin where one is named.
    pub(super) fn component(
        &self,
        folder: &Path,
        kind: ComponentKind,
        name: &str,
        plugin: Option<&str>,
    ) -> Result<&ComponentHandle, PluginError> {
        let of_kind = || self.current.0.iter().filter(|one| one.kind() == kind);
        let named: Vec<&ComponentHandle> = of_kind()
            .filter(|one| one.name() == name && plugin.is_none_or(|plugin| one.plugin() == plugin))
            .collect();
        match named[..] {
            [one] => Ok(one),
            [] => {
                let broken = self.infos.iter();
                let broken = broken.filter_map(|i| i.unavailable.as_ref().map(|why| format!("{}: {why}", i.file)));
                Err(PluginError::NoSuchComponent {
                    kind,
                    name: match plugin {
                        Some(plugin) => format!("{name}` of the plugin `{plugin}"),
                        None => name.to_owned(),
                    },
                    available: of_kind().map(ComponentHandle::name).collect::<Vec<_>>().join(", "),
                    folder: folder.display().to_string(),
                    broken: broken.collect::<Vec<_>>().join("; "),
                })
            }
            _ => Err(PluginError::SeveralProvide {
                kind,
                name: name.to_owned(),
                plugins: named.iter().map(|one| one.plugin()).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}
