//! Builds of plugins beside each other: what is new in the folder, and what versions were fitted with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use lglp_sdk::SearchSpace;
use serde::{Deserialize, Serialize};

use super::admission::Candidate;
use super::file::{self, Opening};
use super::found::{self, Found};
use super::inventory::Inventory;
use super::{ComponentHandle, ComponentKind, PluginError, PluginHost, PluginInfo, isolated};

/// What came of looking at the folder anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rescan {
    /// Files that are new, or that another build lies under: what recipes name is that from now on.
    pub taken_up: Vec<String>,
    /// Files that are there no more.
    pub gone: Vec<String>,
    /// Files that cannot be used, or not before the next start, and why. Where there was one of the name, it goes on.
    pub left: BTreeMap<String, String>,
    /// Of what was taken up, files with components that could not be checked, which are named with the reason.
    pub unchecked: BTreeMap<String, String>,
}

impl PluginHost {
    /// Looks at the folder anew. What runs in processes of its own is taken up if it keeps to the contract, which is checked on
    /// `spaces`; unchecked, where there are none. A library that would be loaded into this process is left to the next start.
    ///
    /// # Errors
    /// `Folder`, where it cannot be read; where no process can be started for the checks.
    pub fn rescan(&self, spaces: Option<&[SearchSpace]>) -> Result<Rescan, PluginError> {
        let _rescanning = self.rescanning.lock().unwrap_or_else(PoisonError::into_inner);
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
        let fresh = self.examine(fresh, spaces)?;
        let there: Vec<&str> = {
            let fresh = fresh.iter().map(|candidate| &candidate.found);
            known.iter().chain(fresh).map(|found| &*found.name).collect()
        };
        let mut rescan = Rescan {
            gone: before
                .keys()
                .filter(|name| !there.contains(&name.as_str()))
                .cloned()
                .collect(),
            ..Rescan::default()
        };
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = Inventory::default();
        {
            let old = self.inventory();
            known.iter().for_each(|found| now.take_over(&before[&found.name], &old));
            let mut usable = Vec::new();
            for candidate in fresh {
                match (&candidate.opened, former(&before, &candidate.found.name)) {
                    (Err(error), Some(former)) => {
                        rescan.left.insert(candidate.found.name, error.to_string());
                        now.take_over(former, &old);
                    }
                    _ => usable.push(candidate),
                }
            }
            // Once all that stays is there, so that nothing new takes its names.
            for Candidate {
                found,
                opened,
                unchecked,
            } in usable
            {
                let (name, former) = (found.name.clone(), former(&before, &found.name));
                let refused = opened.as_ref().ok().and_then(|opened| now.refuses(opened));
                match (refused, former) {
                    (Some(why), Some(former)) if now.has_room_for(former) => {
                        rescan.left.insert(name, why);
                        now.take_over(former, &old);
                    }
                    _ => match now.list(found, opened) {
                        None => {
                            let told = unchecked.iter().map(|(component, why)| format!("`{component}`: {why}"));
                            let told = told.collect::<Vec<_>>().join("; ");
                            if !told.is_empty() {
                                rescan.unchecked.insert(name.clone(), told);
                            }
                            rescan.taken_up.push(name);
                        }
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
}

/// What was usable under a name before.
fn former<'a>(before: &'a BTreeMap<String, PluginInfo>, name: &str) -> Option<&'a PluginInfo> {
    before.get(name).filter(|info| info.description.is_some())
}
