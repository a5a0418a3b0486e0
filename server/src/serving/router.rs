//! [`Serving`]: finds the model that a request means, and keeps it so while aliases and traffic move.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lglp_engine::host::{PluginError, PluginHost};
use lglp_engine::predictor::{COVERAGE, ModelError, ServedModel, Versions};
use lglp_engine::spaces::Spaces;
use lglp_registry::{Agreement, AliasName, Change, HardwareName, PRODUCTION, Registry, Store};
use lglp_sdk::Architecture;
use lglp_sdk::strict::{plain, whole};
use serde_json::Value;

use super::ServingError;
use super::answer::Route;
use super::counts::Counts;
use super::live::{LiveTable, TableChange};
use super::loader::Loader;
use super::shadow::Shadow;
use super::table::Target;
use crate::compute::Lost;

/// How a request names a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelRef {
    /// What the alias leads to when it is asked; requests that mean `production` are divided as its traffic says.
    Alias(AliasName),
    /// The version of this number.
    Version(u32),
}

impl ModelRef {
    /// The alias that requests mean when they name none.
    pub fn production() -> Self {
        Self::Alias(PRODUCTION.parse().expect("a valid alias"))
    }

    /// What requests write: an alias, or a number, which may be text; production where it is null. `None` for anything else.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::production()),
            Value::Number(number) => whole(number).and_then(|n| u32::try_from(n).ok()).map(Self::Version),
            Value::String(text) => match plain(text).parse() {
                Ok(version) => Some(Self::Version(version)),
                Err(_) => text.parse().ok().map(Self::Alias),
            },
            _ => None,
        }
    }

    fn is_production(&self) -> bool {
        matches!(self, Self::Alias(alias) if alias.as_str() == PRODUCTION)
    }
}

/// Finds the model that a request means.
///
/// What aliases lead to stays loaded, and so does what production led to before: rolling back takes effect with the next
/// request. A version is immutable, so a loaded one never goes stale. Requests in flight finish on the model they have.
pub struct Serving {
    live: Arc<LiveTable>,
    loader: Arc<Loader>,
    /// Commands that hold the registry themselves have none.
    pub(super) shadow: Option<Shadow>,
    pub(super) counts: Counts,
}

impl Serving {
    /// For one command: loads what it asks for and nothing else.
    pub fn for_command(store: Arc<dyn Registry>, host: Arc<PluginHost>, spaces: Arc<Spaces>) -> anyhow::Result<Self> {
        let live = Arc::new(LiveTable::new(store, host, spaces)?);
        let counts = Counts::default();
        let loader = Arc::new(Loader::start(live.clone(), counts.clone(), None)?);
        let shadow = None;
        Ok(Self {
            live,
            loader,
            shadow,
            counts,
        })
    }

    /// For a server: follows every change of the registry, compares shadows, and gives up calls into plugins that take longer
    /// than `deadline`.
    pub(crate) fn for_server(
        store: Arc<dyn Store>,
        host: Arc<PluginHost>,
        spaces: Arc<Spaces>,
        deadline: Duration,
    ) -> anyhow::Result<Arc<Self>> {
        let live = Arc::new(LiveTable::new(store.clone(), host, spaces)?);
        let counts = Counts::default();
        let loader = Arc::new(Loader::start(live.clone(), counts.clone(), Some(deadline))?);
        let (table, loading) = (live.clone(), loader.clone());
        let failed = Box::new(move |model: &_, error: &_| replace(&table, &loading, model, error));
        let serving = Arc::new(Self {
            live,
            loader,
            shadow: Some(Shadow::start(store.clone(), counts.clone(), Some(deadline), failed)?),
            counts,
        });
        let watching = Arc::downgrade(&serving);
        store.watch(Arc::new(move |change| {
            if let Some(serving) = watching.upgrade() {
                serving.follow(change);
            }
        }))?;
        Ok(serving)
    }

    /// Takes over a change of the registry.
    fn follow(&self, change: &Change) {
        match change {
            Change::HardwareCreated { hardware }
            | Change::AliasMoved { hardware, .. }
            | Change::TrafficSet { hardware, .. } => self.read(hardware),
            Change::HardwareDeleted { hardware } => self.forget(hardware),
            Change::HardwareRenamed { hardware, to } => {
                self.forget(hardware);
                self.read(to);
            }
            _ => {}
        }
    }

    /// A hardware target is there no more under this name.
    fn forget(&self, hardware: &HardwareName) {
        self.take_over(hardware, self.live.forget(hardware));
    }

    /// Aliases or traffic of a hardware target are others.
    fn read(&self, hardware: &HardwareName) {
        self.take_over(hardware, self.live.read(hardware));
    }

    fn take_over(&self, hardware: &HardwareName, followed: Result<TableChange, ServingError>) {
        match followed {
            Ok(change) => {
                let compared = self.live.table().target(hardware).and_then(Target::compared);
                self.counts.keep_pair(hardware, compared);
                self.loader.apply(change);
            }
            Err(error) => tracing::error!(%hardware, "cannot follow a change of aliases or traffic: {error}"),
        }
    }

    /// How a request is answered now. Loads a version that it names and that is not loaded, while it waits.
    pub async fn route(&self, hardware: &HardwareName, reference: &ModelRef) -> Result<Route, ServingError> {
        match self.find(hardware, reference)? {
            Found::Loaded(route) => Ok(route),
            Found::Version(version) => {
                let model = self.load(hardware, version).await?;
                Ok(self.divide(hardware, reference, model))
            }
        }
    }

    /// As [`Self::route`], for a thread that may block.
    pub fn route_blocking(&self, hardware: &HardwareName, reference: &ModelRef) -> Result<Route, ServingError> {
        match self.find(hardware, reference)? {
            Found::Loaded(route) => Ok(route),
            Found::Version(version) => {
                let model = self.load_blocking(hardware, version)?;
                Ok(self.divide(hardware, reference, model))
            }
        }
    }

    /// A version, loaded and tested on the loader's thread if it is not yet.
    pub async fn load(&self, hardware: &HardwareName, version: u32) -> Result<Arc<ServedModel>, ServingError> {
        let key = (hardware.clone(), version);
        match self.live.loaded(&key) {
            Some(model) => Ok(model),
            None => (self.loader.want(key.clone()).await).unwrap_or_else(|_| Err(ServingError::cut_off(&key))),
        }
    }

    /// As [`Self::load`], for a thread that may block.
    pub fn load_blocking(&self, hardware: &HardwareName, version: u32) -> Result<Arc<ServedModel>, ServingError> {
        let key = (hardware.clone(), version);
        match self.live.loaded(&key) {
            Some(model) => Ok(model),
            None => {
                let wanted = self.loader.want(key.clone());
                wanted
                    .blocking_recv()
                    .unwrap_or_else(|_| Err(ServingError::cut_off(&key)))
            }
        }
    }

    /// The version that an alias leads to.
    pub fn version(&self, hardware: &HardwareName, alias: &AliasName) -> Result<u32, ServingError> {
        let table = self.live.table();
        let found = known(table.target(hardware), hardware)?.version(alias);
        found.ok_or_else(|| ServingError::no_alias(hardware, alias))
    }

    fn find(&self, hardware: &HardwareName, reference: &ModelRef) -> Result<Found, ServingError> {
        let table = self.live.table();
        let target = known(table.target(hardware), hardware)?;
        let version = match reference {
            ModelRef::Version(version) => *version,
            ModelRef::Alias(alias) => {
                let found = target.version(alias);
                found.ok_or_else(|| ServingError::no_alias(hardware, alias))?
            }
        };
        Ok(match target.model(version, self.live.now()) {
            Some(model) => Found::Loaded(divide(target, reference, model.clone())),
            None => Found::Version(version),
        })
    }

    fn divide(&self, hardware: &HardwareName, reference: &ModelRef, model: Arc<ServedModel>) -> Route {
        match self.live.table().target(hardware) {
            Some(target) => divide(target, reference, model),
            None => Route::whole(model),
        }
    }

    /// What a model predicts alone, in the order of the architectures, on this thread.
    pub fn values(&self, model: &Arc<ServedModel>, architectures: &[Architecture]) -> Result<Vec<f64>, ServingError> {
        self.seen(model, model.finite_values(architectures))
    }

    /// What a model answered, after `after_failure` where it could not.
    pub fn seen<T>(&self, model: &Arc<ServedModel>, answered: Result<T, ModelError>) -> Result<T, ServingError> {
        let answered = answered.inspect_err(|error| self.after_failure(model, error));
        answered.map_err(ServingError::from)
    }

    /// After a failed prediction: a model whose plugin panicked is dropped and loaded anew.
    pub(crate) fn after_failure(&self, model: &Arc<ServedModel>, error: &ModelError) {
        replace(&self.live, &self.loader, model, error);
    }

    /// Loads whatever something leads to, production models first, so that first requests do not wait. Returns once
    /// those are loaded, and what went wrong with them, if anything. From then on loading yields to answering.
    pub fn warm_up(&self) -> Vec<(HardwareName, ServingError)> {
        let production = ModelRef::production();
        let hardware: Vec<HardwareName> = self.live.table().hardware().cloned().collect();
        let load = |name: HardwareName| match self.route_blocking(&name, &production) {
            Ok(_) | Err(ServingError::NoProduction { .. }) => None,
            Err(error) => Some((name, error)),
        };
        let failed = hardware.iter().cloned().filter_map(load).collect();
        self.loader.yield_to_requests();
        for name in hardware {
            let missing = self.live.table().target(&name).map(Target::missing);
            for version in missing.unwrap_or_default() {
                self.loader.need((name.clone(), version));
            }
        }
        failed
    }

    /// The targets whose version in production is loaded, and those whose is not, as it is now.
    pub fn production(&self) -> (Vec<HardwareName>, Vec<HardwareName>) {
        let table = self.live.table();
        let serves = |name: &HardwareName| table.target(name).and_then(Target::serves_production);
        let (mut loaded, mut missing) = (Vec::new(), Vec::new());
        for name in table.hardware() {
            match serves(name) {
                Some(true) => loaded.push(name.clone()),
                Some(false) => missing.push(name.clone()),
                None => {}
            }
        }
        (loaded, missing)
    }

    /// How far shadows agree with production, all that was compared so far. Blocks.
    pub fn agreements(&self, hardware: &HardwareName) -> lglp_registry::Result<Vec<Agreement>> {
        self.flush();
        self.live.store.agreements(hardware)
    }

    /// Adds what shadows agreed on to the registry. Blocks.
    pub fn flush(&self) {
        if let Some(shadow) = &self.shadow {
            shadow.flush();
        }
    }

    /// Has a model tried that is not in the registry yet, on the loader's thread. Blocks.
    pub fn try_out<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
        self.loader.run_blocking(work)
    }

    /// Loads and compares nothing more; whoever waits for it is told.
    pub fn stop(&self) {
        if let Some(shadow) = &self.shadow {
            shadow.stop();
        }
        self.loader.stop();
    }

    /// Has versions that could not be loaded tried again when they are asked for: plugins may have come.
    pub fn try_again(&self) {
        self.live.refused.clear();
    }

    /// The versions that do not answer, and why.
    pub fn quarantined(&self) -> BTreeMap<String, String> {
        self.live.tenants.quarantined()
    }

    /// What is counted for Prometheus.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Versions for Serving {
    fn load(&self, hardware: &HardwareName, version: u32) -> Result<Arc<ServedModel>, Box<dyn Error + Send + Sync>> {
        Ok(self.load_blocking(hardware, version)?)
    }
}

enum Found {
    Loaded(Route),
    /// One that is not loaded.
    Version(u32),
}

fn known<'a>(target: Option<&'a Target>, hardware: &HardwareName) -> Result<&'a Target, ServingError> {
    target.ok_or_else(|| lglp_registry::Error::not_found("hardware target", hardware).into())
}

fn divide(target: &Target, reference: &ModelRef, model: Arc<ServedModel>) -> Route {
    if !reference.is_production() {
        return Route::whole(model);
    }
    Route {
        canary: target.canary(&model),
        shadow: target.shadow(&model),
        model,
        coverage: COVERAGE,
    }
}

fn replace(live: &LiveTable, loader: &Loader, model: &Arc<ServedModel>, error: &ModelError) {
    if matches!(error, ModelError::Plugin(PluginError::Panicked { .. })) {
        loader.apply(live.remove(model));
    }
}
