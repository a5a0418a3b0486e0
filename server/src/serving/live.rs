//! The table in use, and every way in which another takes its place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use lglp_engine::host::PluginHost;
use lglp_engine::predictor::{ModelError, ServedModel};
use lglp_engine::spaces::Spaces;
use lglp_registry::{Error, HardwareName, Registry};

use super::ServingError;
use super::refused::Refused;
use super::table::{Key, Table, Target};
use super::tenants::Tenants;

/// The table in use. Requests read it and wait for nobody.
pub(super) struct LiveTable {
    pub store: Arc<dyn Registry>,
    host: Arc<PluginHost>,
    spaces: Arc<Spaces>,
    table: ArcSwap<Table>,
    pub(super) tenants: Tenants,
    pub(super) refused: Refused,
    /// Held while a table is made of the one before.
    changing: Mutex<()>,
    /// Requests so far: the clock by which versions were last asked for.
    requests: AtomicU64,
}

/// What a change left behind.
#[derive(Default)]
pub(super) struct TableChange {
    /// Versions that the table holds no more; requests in flight may.
    pub retired: Vec<Arc<ServedModel>>,
    /// Versions that something leads to and that are not loaded.
    pub missing: Vec<Key>,
}

impl LiveTable {
    /// A table that knows where aliases lead, and has nothing loaded.
    pub(super) fn new(
        store: Arc<dyn Registry>,
        host: Arc<PluginHost>,
        spaces: Arc<Spaces>,
    ) -> lglp_registry::Result<Self> {
        let mut table = Table::default();
        for target in store.hardware_targets()? {
            table.read(&*store, &target.name)?;
        }
        Ok(Self {
            store,
            host,
            spaces,
            table: ArcSwap::from_pointee(table),
            tenants: Tenants::default(),
            refused: Refused::default(),
            changing: Mutex::new(()),
            requests: AtomicU64::new(0),
        })
    }

    pub(super) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// The time, counted in requests.
    pub(super) fn now(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// A version that is loaded.
    pub(super) fn loaded(&self, (hardware, version): &Key) -> Option<Arc<ServedModel>> {
        self.table().target(hardware)?.model(*version, self.now()).cloned()
    }

    /// Loads a version, if it is not yet and was not refused lately, on this thread.
    pub(super) fn load(&self, key: &Key) -> Result<(Arc<ServedModel>, TableChange), ServingError> {
        if let Some(model) = self.loaded(key) {
            return Ok((model, TableChange::default()));
        }
        if let Some(error) = self.refused.lately(key) {
            return Err(error.into());
        }
        let record = self.store.version(&key.0, key.1)?;
        let tenant = self.tenants.of(key);
        let loaded = ServedModel::load(&*self.store, &self.host, &self.spaces, &record, &tenant);
        let model = Arc::new(loaded.inspect_err(|error| self.refused.note(key, error))?);
        let change = self.change(|table| {
            // The target may have been deleted meanwhile, and another created in its place, with a version of the same number.
            if self.store.version(&key.0, key.1)?.digest != record.digest {
                return Err(ServingError::cut_off(key));
            }
            table.insert(model.clone(), self.now());
            Ok(TableChange::default())
        })?;
        Ok((model, change))
    }

    /// Reads aliases and traffic of a hardware target anew.
    pub(super) fn read(&self, hardware: &HardwareName) -> Result<TableChange, ServingError> {
        self.change(|table| self.read_into(table, hardware))
    }

    fn read_into(&self, table: &mut Table, hardware: &HardwareName) -> Result<TableChange, ServingError> {
        table.read(&*self.store, hardware)?;
        let missing = table.target(hardware).map(Target::missing);
        let missing = missing.unwrap_or_default();
        Ok(TableChange {
            missing: missing.into_iter().map(|version| (hardware.clone(), version)).collect(),
            ..TableChange::default()
        })
    }

    /// Takes out a hardware target that is there no more under this name, and all that is known of it. Word of that may come late:
    /// what is there by now, another target of the name included, is read anew.
    pub(super) fn forget(&self, hardware: &HardwareName) -> Result<TableChange, ServingError> {
        self.refused.forget(hardware);
        let is_recorded = |model: &ServedModel| {
            let recorded = self.store.version(hardware, model.version);
            recorded.is_ok_and(|version| version.digest.to_string() == model.digest)
        };
        self.change(|table| {
            let retired = table.forget(hardware, is_recorded);
            let found = match self.read_into(table, hardware) {
                Err(ServingError::Model(ModelError::Registry(error))) if matches!(*error, Error::NotFound { .. }) => {
                    TableChange::default()
                }
                found => found?,
            };
            Ok(TableChange { retired, ..found })
        })
    }

    /// Takes a model out.
    pub(super) fn remove(&self, model: &Arc<ServedModel>) -> TableChange {
        let removed = self.change(|table| {
            let was_in = table.remove(model);
            let led_to = table
                .target(&model.hardware)
                .is_some_and(|t| t.is_led_to(model.version));
            Ok(TableChange {
                retired: vec![model.clone()],
                missing: Vec::from_iter((was_in && led_to).then(|| (model.hardware.clone(), model.version))),
            })
        });
        removed.unwrap_or_default()
    }

    fn change(
        &self,
        edit: impl FnOnce(&mut Table) -> Result<TableChange, ServingError>,
    ) -> Result<TableChange, ServingError> {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.table.load());
        let mut change = edit(&mut table)?;
        change.retired.extend(table.evict());
        self.table.store(Arc::new(table));
        Ok(change)
    }
}
