//! The search spaces of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use lglp_sdk::{Excerpt, SearchSpace};

/// Search spaces by name.
#[derive(Clone, Debug)]
pub struct Spaces(BTreeMap<String, Arc<SearchSpace>>);

/// A space that there is none of.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no search space `{}`; there are: {known}", Excerpt::of(name))]
pub struct UnknownSpace {
    pub name: String,
    pub known: String,
}

impl Spaces {
    /// Reads every `*.toml` of a folder. One that is not consistent is fatal: leaving it out would surprise later.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut spaces = BTreeMap::new();
        let entries = std::fs::read_dir(folder).with_context(|| {
            format!(
                "cannot read the search spaces in {}; give --spaces DIR",
                folder.display()
            )
        })?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                let space = SearchSpace::from_toml(&text).with_context(|| path.display().to_string())?;
                spaces.insert(space.name.clone(), Arc::new(space));
            }
        }
        anyhow::ensure!(!spaces.is_empty(), "no search space (*.toml) in {}", folder.display());
        Ok(Self(spaces))
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
