//! The serving table: where aliases lead, how traffic is divided, which versions are loaded. It is a value: a change makes
//! another one, which takes its place in one step, so that a request sees either the one or the other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lglp_registry::{Alias, AliasName, HardwareName, PRODUCTION, Registry, Share, Traffic};

use lglp_engine::predictor::ServedModel;

/// Versions kept that nothing leads to: some are compared by their numbers, side by side.
const SPARE: usize = 8;

/// A version of a hardware target.
pub(super) type Key = (HardwareName, u32);

/// Every hardware target.
#[derive(Clone, Default)]
pub(super) struct Table(HashMap<HardwareName, Target>);

/// One hardware target.
#[derive(Clone, Default)]
pub(super) struct Target {
    aliases: BTreeMap<AliasName, Alias>,
    traffic: Traffic,
    models: BTreeMap<u32, Arc<Loaded>>,
}

struct Loaded {
    model: Arc<ServedModel>,
    /// When it was last asked for, as a count of requests.
    used: AtomicU64,
}

/// A version that takes part in the traffic of production.
#[derive(Clone)]
pub struct Branch {
    /// Its number.
    pub version: u32,
    /// `None` where it cannot be loaded.
    pub model: Option<Arc<ServedModel>>,
    /// Of the architectures; above 0, up to 1.
    pub share: f64,
}

impl Table {
    pub(super) fn target(&self, hardware: &HardwareName) -> Option<&Target> {
        self.0.get(hardware)
    }

    pub(super) fn hardware(&self) -> impl Iterator<Item = &HardwareName> {
        self.0.keys()
    }

    /// Reads aliases and traffic anew.
    pub(super) fn read(&mut self, store: &dyn Registry, hardware: &HardwareName) -> lglp_registry::Result<()> {
        let aliases = store.aliases(hardware)?;
        let traffic = store.traffic(hardware)?;
        let target = self.0.entry(hardware.clone()).or_default();
        target.aliases = aliases.into_iter().map(|alias| (alias.name.clone(), alias)).collect();
        target.traffic = traffic;
        Ok(())
    }

    pub(super) fn insert(&mut self, model: Arc<ServedModel>, used: u64) {
        let target = self.0.entry(model.hardware.clone()).or_default();
        let used = AtomicU64::new(used);
        target.models.insert(model.version, Arc::new(Loaded { model, used }));
    }

    /// Takes out what is known of a hardware target, but for versions that are to stay loaded; it is gone where there are none.
    /// Returns the others that were.
    pub(super) fn forget(
        &mut self,
        hardware: &HardwareName,
        stays: impl Fn(&ServedModel) -> bool,
    ) -> Vec<Arc<ServedModel>> {
        let mut models = self.0.remove(hardware).map(|target| target.models).unwrap_or_default();
        let mut retired = Vec::new();
        models.retain(|_, loaded| {
            let stays = stays(&loaded.model);
            retired.extend((!stays).then(|| loaded.model.clone()));
            stays
        });
        if !models.is_empty() {
            self.0.entry(hardware.clone()).or_default().models = models;
        }
        retired
    }

    /// Takes out this very model, and returns whether it was there; another one that was loaded in its place stays.
    pub(super) fn remove(&mut self, model: &Arc<ServedModel>) -> bool {
        let Some(target) = self.0.get_mut(&model.hardware) else {
            return false;
        };
        let before = target.models.len();
        target.models.retain(|_, loaded| !Arc::ptr_eq(&loaded.model, model));
        target.models.len() < before
    }

    /// Takes out the versions that nothing leads to, but for the [`SPARE`] asked for last.
    pub(super) fn evict(&mut self) -> Vec<Arc<ServedModel>> {
        let idle = self.0.values().flat_map(|target| {
            let idle = |loaded: &&Arc<Loaded>| !target.is_led_to(loaded.model.version);
            target.models.values().filter(idle)
        });
        let mut idle: Vec<(u64, Arc<ServedModel>)> = idle
            .map(|loaded| (loaded.used.load(Ordering::Relaxed), loaded.model.clone()))
            .collect();
        idle.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
        let evicted: Vec<_> = idle.into_iter().skip(SPARE).map(|(_, model)| model).collect();
        for model in &evicted {
            self.remove(model);
        }
        evicted
    }
}

impl Target {
    /// The version that an alias leads to.
    pub(super) fn version(&self, alias: &AliasName) -> Option<u32> {
        self.aliases.get(alias).map(|alias| alias.version)
    }

    /// A loaded version; `now` is noted as the last time that it was asked for.
    pub(super) fn model(&self, version: u32, now: u64) -> Option<&Arc<ServedModel>> {
        let loaded = self.models.get(&version)?;
        loaded.used.store(now, Ordering::Relaxed);
        Some(&loaded.model)
    }

    /// The versions that aliases lead to, and the one that rolling production back leads to.
    pub(super) fn led_to(&self) -> impl Iterator<Item = u32> {
        let rollback = |alias: &Alias| {
            alias
                .previous
                .last()
                .copied()
                .filter(|_| alias.name.as_str() == PRODUCTION)
        };
        self.aliases
            .values()
            .flat_map(move |alias| std::iter::once(alias.version).chain(rollback(alias)))
    }

    pub(super) fn is_led_to(&self, version: u32) -> bool {
        self.led_to().any(|other| other == version)
    }

    /// Whether the version in production is loaded; none where nothing is in production.
    pub(super) fn serves_production(&self) -> Option<bool> {
        let production = self.aliases.values().find(|alias| alias.name.as_str() == PRODUCTION)?;
        Some(self.models.contains_key(&production.version))
    }

    /// The versions that should be loaded and are not.
    pub(super) fn missing(&self) -> Vec<u32> {
        self.led_to()
            .filter(|version| !self.models.contains_key(version))
            .collect()
    }

    /// Who answers a share of what this production model is asked.
    pub(super) fn canary(&self, production: &ServedModel) -> Option<Branch> {
        self.branch(self.traffic.canary.as_ref()?, production)
    }

    /// Who predicts a share of what this production model is asked beside it.
    pub(super) fn shadow(&self, production: &ServedModel) -> Option<Branch> {
        self.branch(self.traffic.shadow.as_ref()?, production)
    }

    /// The versions that the shadow compares: production's and its own.
    pub(super) fn compared(&self) -> Option<(u32, u32)> {
        let of = |wanted: &str| self.aliases.values().find(|alias| alias.name.as_str() == wanted);
        let shadow = self.traffic.shadow.as_ref()?;
        Some((of(PRODUCTION)?.version, self.version(&shadow.alias)?))
    }

    /// None where the alias has gone, leads to production's version itself, or to one of another space or quantity.
    fn branch(&self, share: &Share, production: &ServedModel) -> Option<Branch> {
        let version = self
            .version(&share.alias)
            .filter(|version| *version != production.version)?;
        let model = self.models.get(&version).map(|loaded| loaded.model.clone());
        if model.as_ref().is_some_and(|model| !model.answers_like(production)) {
            return None;
        }
        Some(Branch {
            version,
            model,
            share: share.share,
        })
    }
}
