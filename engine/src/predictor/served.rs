//! One loaded version.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lglp_registry::{HardwareName, HardwareTarget, Quantity, Registry, Version};
use lglp_sdk::{Architecture, SearchSpace};
use serde::de::DeserializeOwned;

use super::network::{KnownOperators, LearnedNetworks};
use super::self_test::self_test;
use super::{
    COVERAGE, Calibration, Contributions, Estimate, FittedModel, Interval, ModelError, ModelState, NoInterval,
    PluginUse, ROWS_PER_UNIT, Recipe, TrainingRange, USUAL_UNIT,
};
use crate::host::{PluginHost, Tenant};
use crate::networks::{Cost, Rules};
use crate::spaces::Spaces;

/// A version that is ready to predict.
pub struct ServedModel {
    /// The hardware target that it predicts for.
    pub hardware: HardwareName,
    /// The version's number in its hardware target.
    pub version: u32,
    /// Digest of the version's content.
    pub digest: String,
    /// Name of its recipe.
    pub recipe: String,
    /// What measured that which it predicts.
    pub runtime: String,
    /// Inputs at once that its predictions are of; `None` where the hardware target does not tell.
    pub batch_size: Option<u64>,
    /// The search space that it reads architectures of.
    pub space: Arc<SearchSpace>,
    /// Who is charged for the time of its predictions.
    pub account: Arc<str>,
    /// Time of a unit, as it was measured when it was loaded.
    unit: Duration,
    /// Nanoseconds that a row takes, as of late; 0 where none is known yet.
    pace: AtomicU64,
    pub(super) model: FittedModel,
    pub(super) calibration: Calibration,
    pub(super) range: TrainingRange,
    /// What it learned from networks of no space.
    pub(super) networks: Option<LearnedNetworks>,
    /// The operators that it was fitted on, once somebody asks for another network.
    pub(super) known: OnceLock<KnownOperators>,
}

/// A prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// In the unit of what the model predicts.
    pub value: f64,
    /// The interval around the value, or why there is none.
    pub interval: Result<Interval, NoInterval>,
    /// In what the architecture or the value lies outside of the training set, in words; `None` where it lies within.
    pub outside_training_range: Option<String>,
}

/// Rows that a model that takes long is asked for at once, of a request that has as many: models compute fewer at a loss.
const FEWEST: usize = 16;

/// Whoever has versions at hand.
pub trait Versions {
    /// A version, loaded and tested.
    ///
    /// # Errors
    /// Whatever keeps it from being loaded.
    fn load(&self, hardware: &HardwareName, version: u32) -> Result<Arc<ServedModel>, Box<dyn Error + Send + Sync>>;
}

impl ServedModel {
    /// Loads a version: its blobs are verified by the registry, its plugins read their state, and it must pass its
    /// self-test. Plugins are called on behalf of `tenant`.
    pub fn load(
        store: &dyn Registry,
        host: &PluginHost,
        spaces: &Spaces,
        version: &Version,
        tenant: &Arc<Tenant>,
    ) -> Result<Self, ModelError> {
        // Before its blobs are read: whatever asks for it again and again would have them read as often.
        tenant.admit()?;
        for used in &version.content.plugins {
            host.admit(used.sha256.as_str())?;
        }
        let mut state = ModelState::new();
        for (role, digest) in &version.content.artifacts {
            state.insert(role.clone(), store.get_blob(digest)?);
        }
        let target = store.hardware(&version.hardware)?;
        Self::assemble(host, spaces, &target, version, &state, tenant)
    }

    /// The same with fitted state that is at hand, verified, and not in the registry yet.
    pub fn from_state(
        host: &PluginHost,
        spaces: &Spaces,
        target: &HardwareTarget,
        version: &Version,
        state: &ModelState,
    ) -> Result<Self, ModelError> {
        let tenant = Tenant::new("the model that is tried".into());
        Self::assemble(host, spaces, target, version, state, &tenant)
    }

    fn assemble(
        host: &PluginHost,
        spaces: &Spaces,
        target: &HardwareTarget,
        version: &Version,
        state: &ModelState,
        tenant: &Arc<Tenant>,
    ) -> Result<Self, ModelError> {
        let content = &version.content;
        let recipe: Recipe = read(version, "recipe", &content.recipe)?;
        let range: TrainingRange = read(version, "training_range", &content.training_range)?;
        let plugins: Vec<PluginUse> = read(version, "plugins", &serde_json::json!(content.plugins))?;
        let space = spaces.get(&content.space)?.clone();
        if content.space_digest.to_string() != format!("sha256:{}", space.digest()) {
            return Err(ModelError::SpaceChanged {
                hardware: version.hardware.clone(),
                version: version.version,
                space: content.space.clone(),
            });
        }
        let rules = rules(version)?;
        let model = FittedModel::load(&recipe, host, &space, &plugins, state, rules.as_ref(), tenant)
            .map_err(|error| ModelError::of_version(version, error))?;
        let unit = self_test(&model, &space, version)?;
        Ok(Self {
            hardware: version.hardware.clone(),
            version: version.version,
            digest: version.digest.to_string(),
            recipe: recipe.name.clone(),
            runtime: target.runtime.clone(),
            batch_size: target.batch_size(),
            account: format!("{}/{}", version.hardware, version.version).into(),
            unit,
            pace: AtomicU64::new(0),
            model,
            space,
            calibration: Calibration::of_version(content),
            range,
            networks: (content.networks.as_ref()).map(|fitted| LearnedNetworks::of(fitted, content.quantity)),
            known: OnceLock::new(),
        })
    }

    /// How often as long as a usual model it takes, about.
    pub fn times_usual(&self) -> usize {
        (self.unit.as_millis() / USUAL_UNIT.as_millis()).max(1) as usize
    }

    /// Whether a plugin of it is called in a process of its own.
    pub fn runs_apart(&self) -> bool {
        self.model.runs_apart()
    }

    /// What it predicts.
    pub fn quantity(&self) -> Quantity {
        self.model.quantity()
    }

    /// Whether it reads what another one reads, and predicts the same quantity.
    pub fn answers_like(&self, other: &Self) -> bool {
        self.space.name() == other.space.name() && self.quantity() == other.quantity()
    }

    /// What it predicts alone, in the order of the architectures. Each call into plugins is one of some milliseconds, so
    /// that what takes much longer can be told from what is merely much.
    pub fn values(&self, architectures: &[Architecture]) -> Result<Vec<f64>, ModelError> {
        let mut values = Vec::with_capacity(architectures.len());
        for part in architectures.chunks(ROWS_PER_UNIT) {
            values.extend(self.model.predict(part.iter())?);
        }
        Ok(values)
    }

    /// What the network of each architecture costs, at batch 1.
    pub fn costs(&self, architectures: &[Architecture]) -> Vec<Cost> {
        self.model.costs(architectures.iter())
    }

    /// The parts of a prediction; `None` where the version does not tell them.
    pub fn contributions(&self, architecture: &Architecture) -> Result<Option<Contributions>, ModelError> {
        let parts = self.model.contributions(architecture)?;
        if let Some(parts) = &parts {
            let mut all = parts.values.iter().copied().chain([parts.rest, parts.sum()]);
            all.try_for_each(|value| self.check_one(architecture, value))?;
        }
        Ok(parts)
    }

    /// Rows to predict at once, in about a millisecond: what is handed from thread to thread in smaller parts costs more than the work,
    /// and for larger ones others wait.
    pub fn rows_at_once(&self) -> usize {
        /// Nanoseconds, and rows at most.
        const AT_ONCE: u64 = 1_000_000;
        const MOST: usize = 1024;
        match self.pace.load(Ordering::Relaxed) {
            0 => ROWS_PER_UNIT,
            pace => ((AT_ONCE / pace) as usize).clamp(FEWEST, MOST),
        }
    }

    /// Takes note of how long some rows took.
    fn paced(&self, rows: usize, began: Instant) {
        // What fewer take is most of all the call.
        if rows >= FEWEST {
            let now = (began.elapsed().as_nanos() / rows as u128).clamp(1, u128::from(u32::MAX)) as u64;
            let before = self.pace.load(Ordering::Relaxed);
            let pace = if before == 0 { now } else { (3 * before + now) / 4 };
            self.pace.store(pace, Ordering::Relaxed);
        }
    }

    /// Predicts architectures of the model's space, in their order, with intervals of this coverage.
    pub fn predict(&self, architectures: &[Architecture], coverage: f64) -> Result<Vec<Predicted>, ModelError> {
        let (mut estimates, mut costs) = (
            Vec::with_capacity(architectures.len()),
            Vec::with_capacity(architectures.len()),
        );
        for part in architectures.chunks(self.rows_at_once()) {
            let began = Instant::now();
            let (estimated, cost) = self.model.estimate_with_costs(part.iter())?;
            estimates.extend(estimated);
            costs.extend(cost);
            self.paced(part.len(), began);
        }
        self.check(architectures, estimates.iter().map(|estimate| estimate.value))?;
        let reach = self.calibration.reach(coverage);
        let predicted = architectures.iter().zip(estimates.into_iter().zip(costs)).map(
            |(architecture, (Estimate { value, spread }, cost))| Predicted {
                value,
                interval: reach.and_then(|reach| reach.around(value, spread)),
                outside_training_range: self.range.outside(&self.space, architecture, cost.macs, value),
            },
        );
        Ok(predicted.collect())
    }

    /// Predicts some architectures, to be compared with another one: with how far the difference between each of them and that one
    /// lies, about, from that of what they take in the mean, where the version tells.
    pub fn compare(
        &self,
        with: &Architecture,
        architectures: &[Architecture],
    ) -> Result<Vec<(Predicted, Option<f64>)>, ModelError> {
        let predicted = self.predict(architectures, COVERAGE)?;
        let mut compared = Vec::with_capacity(architectures.len());
        for part in architectures.chunks(ROWS_PER_UNIT) {
            let rows: Vec<&Architecture> = std::iter::once(with).chain(part).collect();
            let spreads = self.model.difference_spreads(rows.into_iter())?;
            let spread = |at: usize| spreads.as_ref().map(|spreads| spreads[at + 1]);
            compared.extend((0..part.len()).map(spread));
        }
        Ok(predicted.into_iter().zip(compared).collect())
    }

    /// The interval around a difference of two predictions of such a spread.
    pub fn difference_interval(&self, difference: f64, spread: Option<f64>) -> Result<Interval, NoInterval> {
        self.calibration.reach(COVERAGE)?.of_difference(difference, spread)
    }

    /// As [`Self::values`], all of them numbers.
    pub fn finite_values(&self, architectures: &[Architecture]) -> Result<Vec<f64>, ModelError> {
        let values = self.values(architectures)?;
        self.check(architectures, values.iter().copied())?;
        Ok(values)
    }

    /// Refuses what is no number.
    fn check(&self, architectures: &[Architecture], values: impl Iterator<Item = f64>) -> Result<(), ModelError> {
        let mut pairs = architectures.iter().zip(values);
        pairs.try_for_each(|(architecture, value)| self.check_one(architecture, value))
    }

    fn check_one(&self, architecture: &Architecture, value: f64) -> Result<(), ModelError> {
        self.check_number(|| self.space.canonical_text(architecture), value)
    }

    /// Refuses what is predicted of a network where it is no number.
    pub(super) fn check_number(&self, network: impl FnOnce() -> String, value: f64) -> Result<(), ModelError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(ModelError::Impossible {
            hardware: self.hardware.clone(),
            version: self.version,
            value,
            unit: self.quantity().unit(),
            architecture: network(),
        })
    }
}

/// By which its networks are counted.
fn rules(version: &Version) -> Result<Option<Rules>, ModelError> {
    let networks = version.content.networks.as_ref();
    let Some(name) = networks.and_then(|networks| networks.rules.as_deref()) else {
        return Ok(None);
    };
    let rules = Rules::named(name);
    let problem = || format!("this release does not know the rules `{name}`; train again");
    let rules = rules.ok_or_else(|| unreadable(version, "networks.rules", &problem()));
    rules.map(Some)
}

fn read<T: DeserializeOwned>(version: &Version, field: &str, value: &serde_json::Value) -> Result<T, ModelError> {
    serde_json::from_value(value.clone()).map_err(|problem| unreadable(version, field, &problem))
}

fn unreadable(version: &Version, field: &str, problem: &dyn std::fmt::Display) -> ModelError {
    ModelError::Unreadable {
        hardware: version.hardware.clone(),
        version: version.version,
        reason: format!("{field}: {problem}"),
    }
}
