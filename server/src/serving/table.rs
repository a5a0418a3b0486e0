//! The serving table: loaded versions, swapped atomically; requests in flight finish on the one they have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use lglp_registry::{AliasName, HardwareName, Store};

use super::{ServedModel, ServingError};
use crate::plugins::{PluginError, PluginHost};
use crate::spaces::Spaces;

/// How a request names a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelRef {
    Alias(AliasName),
    Version(u32),
}

impl ModelRef {
    /// The alias that requests mean when they name none.
    pub fn production() -> Self {
        Self::Alias("production".parse().expect("a valid alias"))
    }
}

type Table = HashMap<(HardwareName, u32), Arc<ServedModel>>;

/// Loaded versions kept at most. More than the few that aliases lead to: versions are compared side by side.
const CAPACITY: usize = 16;

/// Loads versions on demand and keeps them. A version is immutable, so a loaded one never goes stale; an alias is looked
/// up for every request, so moving it takes effect with the next one, and moving it back finds the old version warm.
pub struct Serving {
    store: Arc<dyn Store>,
    host: Arc<PluginHost>,
    spaces: Arc<Spaces>,
    table: ArcSwap<Table>,
    /// Held while a version is loaded: two requests for it must not load it twice.
    loading: Mutex<()>,
}

impl Serving {
    pub fn new(store: Arc<dyn Store>, host: Arc<PluginHost>, spaces: Arc<Spaces>) -> Self {
        Self {
            store,
            host,
            spaces,
            table: ArcSwap::default(),
            loading: Mutex::new(()),
        }
    }

    /// The model that a reference leads to now, loaded if it is not yet. Blocks while it loads.
    pub fn resolve(&self, hardware: &HardwareName, reference: &ModelRef) -> Result<Arc<ServedModel>, ServingError> {
        let version = match reference {
            ModelRef::Version(version) => *version,
            ModelRef::Alias(alias) => self.alias(hardware, alias)?,
        };
        let key = (hardware.clone(), version);
        if let Some(served) = self.table.load().get(&key) {
            return Ok(served.clone());
        }
        let _turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(served) = self.table.load().get(&key) {
            return Ok(served.clone());
        }
        let record = self.store.version(hardware, version)?;
        let served = Arc::new(ServedModel::load(&*self.store, &self.host, &self.spaces, &record)?);
        self.insert(key, served.clone());
        Ok(served)
    }

    fn alias(&self, hardware: &HardwareName, alias: &AliasName) -> Result<u32, ServingError> {
        match self.store.alias(hardware, alias) {
            Ok(found) => Ok(found.version),
            Err(lglp_registry::Error::NotFound { .. }) => {
                self.store.hardware(hardware)?;
                let hardware = hardware.clone();
                Err(if alias.as_str() == "production" {
                    ServingError::NoProduction { hardware }
                } else {
                    let alias = alias.clone();
                    ServingError::NoAlias { hardware, alias }
                })
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Puts a version in. Where the table is full, one that no alias leads to makes room.
    fn insert(&self, key: (HardwareName, u32), served: Arc<ServedModel>) {
        let mut table = Table::clone(&self.table.load());
        if table.len() >= CAPACITY {
            let idle = table.keys().find(|(hardware, version)| {
                let aliases = self.store.aliases(hardware).unwrap_or_default();
                aliases.iter().all(|alias| alias.version != *version)
            });
            if let Some(idle) = idle.cloned() {
                table.remove(&idle);
            }
        }
        table.insert(key, served);
        self.table.store(Arc::new(table));
    }

    /// After a failed prediction: a model whose plugin panicked is dropped, and the next request loads it anew.
    pub fn after_failure(&self, served: &ServedModel, error: &ServingError) {
        if matches!(error, ServingError::Plugin(PluginError::Panicked { .. })) {
            let _turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
            let mut table = Table::clone(&self.table.load());
            table.remove(&(served.hardware.clone(), served.version));
            self.table.store(Arc::new(table));
        }
    }

    /// Loads every production model, so that first requests do not wait. Returns what went wrong, if anything.
    pub fn warm_up(&self) -> Vec<(HardwareName, ServingError)> {
        let targets = match self.store.hardware_targets() {
            Ok(targets) => targets,
            Err(_) => return Vec::new(),
        };
        let attempts = targets
            .into_iter()
            .map(|t| (self.resolve(&t.name, &ModelRef::production()), t.name));
        attempts
            .filter_map(|(result, name)| match result {
                Ok(_) | Err(ServingError::NoProduction { .. }) => None,
                Err(error) => Some((name, error)),
            })
            .collect()
    }
}
