//! What the plugin folder provides, and revisions from before that versions were fitted with.

use std::collections::BTreeMap;
use std::path::Path;

use super::component::Opened;
use super::components::Components;
use super::file::Opening;
use super::found::Found;
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

impl Inventory {
    /// Takes a plugin in.
    fn admit(&mut self, file: &Opening, opened: Opened) -> Result<(PluginDescription, Vec<String>), PluginError> {
        self.current.admit(&opened)?;
        self.openings.insert(file.sha256.clone(), file.clone());
        Ok((opened.description, opened.restricted))
    }

    /// Lists a file with what came of opening it; why it cannot be used, where that is so.
    pub(super) fn list(&mut self, found: Found, opened: Result<Opened, PluginError>) -> Option<String> {
        let is_apart = found.to_start().is_some();
        let Found {
            name,
            sha256,
            settings,
            file,
        } = found;
        let admitted = file.and_then(|file| {
            let admitted = opened.and_then(|opened| self.admit(&file.opening, opened));
            // What was loaded into this process, whatever came of it, and what processes are to be started of.
            if admitted.is_ok() || !is_apart {
                file.keep_open();
            }
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
            quarantined: None,
        });
        unavailable
    }

    /// Takes over a file that is as it was in another inventory.
    pub(super) fn take_over(&mut self, info: &PluginInfo, from: &Self) {
        let kept = from.current.0.iter().filter(|one| one.sha256() == info.sha256);
        self.current.0.extend(kept.cloned());
        self.infos.push(info.clone());
    }

    /// Why a plugin cannot be taken in, where that is so.
    pub(super) fn refuses(&self, opened: &Opened) -> Option<String> {
        let refused = self.current.refuse(opened).err();
        refused.map(|error| error.to_string())
    }

    /// Whether none of a file's components is there under its plugin's name.
    pub(super) fn has_room_for(&self, info: &PluginInfo) -> bool {
        let description = info.description.as_ref();
        description.is_some_and(|told| {
            let mut components = told.components.iter();
            !components.any(|one| self.current.has(&told.name, one.kind, &one.name))
        })
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
