//! The search spaces of a folder.

pub mod changes;
mod definition;
mod elsewhere;
mod of_target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use lglp_registry::ONNX;
use lglp_sdk::{Excerpt, SearchSpace};

pub use changes::single_changes;
pub use definition::DefinitionError;
pub(crate) use definition::require_same;
pub use definition::{Misfit, definition};
pub use of_target::SpaceError;

use crate::text;

/// Search spaces by name.
#[derive(Clone, Debug)]
pub struct Spaces(BTreeMap<String, Arc<SearchSpace>>);

/// No search space has this name.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no search space `{}`; there are: {known}", Excerpt::of(name))]
pub struct UnknownSpace {
    /// The name that was asked for.
    pub name: String,
    /// The names that there are, separated by commas.
    pub known: String,
}

impl Spaces {
    /// Reads every `*.toml` of a folder. One that is not consistent is fatal: leaving it out would surprise later.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut spaces = BTreeMap::<String, (PathBuf, Arc<SearchSpace>)>::new();
        let entries = std::fs::read_dir(folder).with_context(|| {
            format!(
                "cannot read the search spaces in {}; give --spaces DIR",
                folder.display()
            )
        })?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                let text = text::read(&path).with_context(|| path.display().to_string())?;
                let space = SearchSpace::from_toml(&text).with_context(|| path.display().to_string())?;
                anyhow::ensure!(
                    space.name() != ONNX,
                    "{}: `{ONNX}` stands for networks of no space; give the space another name",
                    path.display()
                );
                if let Some((other, _)) = spaces.get(space.name()) {
                    let (name, other, path) = (space.name(), other.display(), path.display());
                    anyhow::bail!("both {other} and {path} define the space `{name}`; give one of them another name");
                }
                spaces.insert(space.name().to_owned(), (path, Arc::new(space)));
            }
        }
        anyhow::ensure!(!spaces.is_empty(), "no search space (*.toml) in {}", folder.display());
        Ok(Self(
            spaces.into_iter().map(|(name, (_, space))| (name, space)).collect(),
        ))
    }

    /// Spaces as a server lists them.
    ///
    /// # Errors
    /// One that is not consistent.
    pub fn listed(spaces: &[serde_json::Value]) -> Result<Self, lglp_sdk::SpaceError> {
        let read = |space: &serde_json::Value| {
            let space = SearchSpace::from_json(&space.to_string())?;
            Ok((space.name().to_owned(), Arc::new(space)))
        };
        spaces.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The space of a name.
    pub fn get(&self, name: &str) -> Result<&Arc<SearchSpace>, UnknownSpace> {
        self.0.get(name).ok_or_else(|| UnknownSpace {
            name: name.to_owned(),
            known: self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SearchSpace>> {
        self.0.values()
    }
}
