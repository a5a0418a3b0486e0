//! Data cleaning (the paper's 4.3): measurements that models contradict are taken again where that is possible, and excluded
//! where they were faulty. Nothing is deleted.

mod suspicions;

pub(crate) use suspicions::{Suspicion, suspicions};

use lglp_registry::{Digest, Exclusion, HardwareName, Measurement, Quantity, Registry};
use lglp_sdk::SearchSpace;
use serde::Serialize;
use serde_json::json;

use crate::host::PluginHost;
use crate::measure::{Campaign, MeasureError, Protocol, Setup, Wanted, is_at_hand};
use crate::predictor::Recipe;
use crate::spaces::Spaces;
use crate::train::{DataError, TrainError, TrainingData, labels};

/// What to clean, and how.
pub struct Cleaning<'a> {
    /// The registry that has the measurements, and takes new ones and exclusions.
    pub store: &'a dyn Registry,
    /// Provides the components of the recipe, and the runtime where something is measured again.
    pub host: &'a PluginHost,
    /// The space whose measurements are judged.
    pub space: &'a SearchSpace,
    /// Where the target's reference network may be from.
    pub spaces: &'a Spaces,
    /// The target whose measurements are judged.
    pub hardware: &'a HardwareName,
    /// Of the models that judge.
    pub recipe: &'a Recipe,
    /// Parts that the data are cut into.
    pub folds: usize,
    /// Robust standard deviations beyond which a measurement is suspicious.
    pub threshold: f64,
    /// Percent of the measurements that may be excluded in all.
    pub limit_percent: f64,
}

/// What becomes of a suspicious measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Measured again, it came out the same: the model is wrong.
    Confirmed,
    /// Not to be trained on.
    Excluded,
}

/// A suspicious measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Canonical text.
    pub architecture: String,
    /// The digest of the canonical text.
    pub digest: Digest,
    /// The replicate of the measurement that is judged: the first of the architecture that is not excluded.
    #[serde(rename = "round")]
    pub replicate: u32,
    /// The latency that was measured in that replicate, milliseconds.
    pub measured_ms: f64,
    /// By a model that never saw it.
    pub predicted_ms: f64,
    /// How many robust standard deviations the logarithm of measured over predicted is from the median.
    pub score: f64,
    /// The latency when it was measured again, milliseconds; `None` before that, or where it cannot be.
    pub remeasured_ms: Option<f64>,
    /// `Excluded` until measuring again confirms the measurement.
    pub decision: Decision,
}

/// What a search for faulty measurements found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Measurements that were judged.
    pub architectures: usize,
    /// Of them, beyond the threshold.
    pub suspicious: usize,
    /// Measurements that were excluded before.
    pub excluded_before: usize,
    /// Whether the device is this machine, so that measurements can be taken again.
    pub at_hand: bool,
    /// The worst first, as many as may still be excluded.
    pub findings: Vec<Finding>,
}

/// Why cleaning stopped. What was measured again is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CleanError {
    /// The registry failed, or refused what was asked of it.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// The measurements cannot be used: for one, their space was defined otherwise then.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model that judges could not be fitted.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A measurement could not be taken again.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

impl Cleaning<'_> {
    /// Finds suspicious measurements and changes nothing. `progress` is called after each fold.
    pub fn find(&self, progress: &(dyn Fn() + Sync)) -> Result<Findings, CleanError> {
        let data = TrainingData::measured(self.store, self.hardware, self.space, Quantity::Latency)?;
        let labels = labels(self.store, self.hardware, self.space.name())?;
        let excluded_before = self.store.exclusions(self.hardware, self.space.name())?.len();
        let all = self
            .store
            .measurements_without_samples(self.hardware, self.space.name(), Some(0))?
            .len();
        let may_be_excluded = (all as f64 * self.limit_percent / 100.0).floor() as usize;
        let found = suspicions(self.recipe, self.host, self.space, &data, self.folds, 0, progress)?;
        let suspicious = found.iter().take_while(|s| s.score.abs() > self.threshold).count();
        let finding = |suspicion: &Suspicion| {
            let label = &labels[suspicion.row];
            Finding {
                architecture: label.architecture.clone(),
                digest: label.digest.clone(),
                replicate: label.replicate,
                measured_ms: label.latency_ms,
                predicted_ms: suspicion.predicted_ms,
                score: suspicion.score,
                remeasured_ms: None,
                decision: Decision::Excluded,
            }
        };
        let room = may_be_excluded.saturating_sub(excluded_before);
        let target = self.store.hardware(self.hardware)?;
        Ok(Findings {
            architectures: data.architectures.len(),
            suspicious,
            excluded_before,
            at_hand: is_at_hand(&target) && Setup::of_target(&target).on(self.host).is_ok(),
            findings: found.iter().take(suspicious.min(room)).map(finding).collect(),
        })
    }

    /// Measures again what was found, where the device is at hand, and excludes what was faulty.
    pub fn settle(&self, found: &mut Findings, actor: &str) -> Result<(), CleanError> {
        if found.at_hand {
            for finding in &mut found.findings {
                self.measure_again(finding, actor)?;
            }
        }
        let faulty = found.findings.iter().filter(|f| f.decision == Decision::Excluded);
        let exclusions: Vec<Exclusion> = faulty.map(|finding| self.exclusion(finding)).collect();
        self.store.exclude_measurements(self.hardware, &exclusions, actor)?;
        Ok(())
    }

    /// Measures an architecture once more; what comes out nearer to the first measurement than to the prediction confirms it.
    fn measure_again(&self, finding: &mut Finding, actor: &str) -> Result<(), CleanError> {
        let of_it = |m: &Measurement| m.digest == finding.digest;
        let taken = self
            .store
            .measurements_without_samples(self.hardware, self.space.name(), None)?;
        let last = taken.iter().filter(|m| of_it(m)).map(|m| m.replicate).max();
        // Replicates 0 and 1 tell the noise floor, which outliers that are picked out would spoil.
        let replicate = last.map_or(2, |last| (last + 1).max(2));
        let architecture = self.space.architecture_from_text(&finding.architecture);
        let architecture = architecture.map_err(|error| DataError::Misfit {
            digest: finding.digest.clone(),
            problem: error.to_string(),
        })?;
        let campaign = Campaign {
            store: self.store,
            host: self.host,
            space: self.space,
            spaces: self.spaces,
            hardware: self.hardware,
            setup: None,
            protocol: Protocol::default(),
            wanted: Wanted::These {
                replicate,
                architectures: &[architecture],
            },
            actor,
        };
        campaign.run(&mut |_| {}, &|| false)?;
        let again = self
            .store
            .measurements_without_samples(self.hardware, self.space.name(), Some(replicate))?;
        if let Some(label) = again.iter().find(|m| of_it(m)).map(|m| m.latency_ms) {
            finding.remeasured_ms = Some(label);
            let distance = |from: f64| (label / from).ln().abs();
            if distance(finding.measured_ms) < distance(finding.predicted_ms) {
                finding.decision = Decision::Confirmed;
            }
        }
        Ok(())
    }

    fn exclusion(&self, finding: &Finding) -> Exclusion {
        let again = finding
            .remeasured_ms
            .map(|ms| format!("{ms:.1} ms when measured again, "));
        Exclusion {
            space: self.space.name().to_owned(),
            digest: finding.digest.clone(),
            replicate: finding.replicate,
            reason: format!(
                "{:.1} ms; {}{:.1} ms predicted by models that never saw it",
                finding.measured_ms,
                again.unwrap_or_default(),
                finding.predicted_ms
            ),
            evidence: json!({
                "recipe": self.recipe.name, "folds": self.folds, "threshold": self.threshold,
                "predicted_ms": finding.predicted_ms, "score": finding.score, "remeasured_ms": finding.remeasured_ms,
            }),
        }
    }
}
