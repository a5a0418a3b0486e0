//! Onboarding: from a device that nothing is known of to a version, by few measurements. What is measured is chosen, the fit begins
//! with what other targets teach, and how well it predicts is told by the rows themselves, each left out in its turn.

mod candidates;
mod forecast;
mod of_networks;
mod rehearsal;
mod sources;

use std::collections::BTreeSet;
use std::time::Instant;

use lglp_registry::{HardwareName, NewVersion, Quantity};
use lglp_sdk::{Architecture, Sampler};
use serde::{Deserialize, Serialize};

pub use forecast::Forecast;
pub use of_networks::NetworkOnboarding;
pub use rehearsal::{Rehearsal, Way};
pub use sources::Source;

use crate::host::PluginError;
use crate::measure::{MeasureError, Setup};
use crate::networks;
use crate::train::{DataError, KeepError, Split, TrainError, Trained, Training, TrainingData, train};

/// Architectures that are measured before the first fit.
pub const FIRST: usize = 10;

/// A device that is to be known.
pub struct Onboarding<'a> {
    /// What is trained, where.
    pub training: Training<'a>,
    /// Inputs that a network takes at once, where the target is not there yet.
    pub batch: u32,
    /// Architectures to measure in all, those that are measured already included.
    pub budget: usize,
    /// The mean relative error at which it ends, percent: reached where the estimate is below it by its own standard error.
    pub goal: Option<f64>,
    /// Whether the fit begins with what other targets teach.
    pub transfer: bool,
    /// Which they may be; any, where it says nothing.
    pub sources: Option<Vec<HardwareName>>,
    /// What was known before, where it was cut off.
    pub before: Known,
    /// Who makes the version, for the audit log.
    pub actor: &'a str,
}

/// What an onboarding knows, which one that goes on need not find out again.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What other targets teach; none before they were asked.
    pub sources: Option<Vec<Source>>,
    /// What each fit told, by its number of measurements; none before the first fit.
    pub steps: Vec<Step>,
}

/// What is known after some measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Architectures that the fit learned from, those included that were measured before.
    pub measured: usize,
    /// Mean relative error of rows that are left out, percent.
    pub error: f64,
    /// Standard error of that mean, percent.
    pub uncertainty: f64,
    /// Of the measuring and fitting so far; waiting for workers is none.
    pub seconds: f64,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum OnboardEvent<'a> {
    /// Another target's measurements are learned from.
    Learning(&'a Source),
    /// Measuring goes on, to this many architectures.
    Measuring {
        /// Architectures that are measured.
        done: usize,
        /// Architectures that are to be measured before the next fit.
        of: usize,
    },
    /// Something new is known: what other targets teach, or what a fit tells.
    Known(&'a Known),
}

/// How it ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Onboarded {
    /// What each fit told, by its number of measurements; the last fit is the version.
    pub steps: Vec<Step>,
    /// Names of the targets that were asked to teach. The regressor takes over from each only what tells rows that are left out better.
    pub sources: Vec<String>,
    /// What more measurements would bring; none after a single step.
    pub forecast: Option<Forecast>,
    /// Whether the goal was reached.
    pub reached: bool,
}

/// Why it did not come to an end. What is measured is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardError {
    /// The registry failed, or refused what was asked of it.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// The space has too few architectures.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The measurements of the target, or of one that teaches, cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A fit failed or was stopped, or the recipe cannot tell its error without a test part.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The model, or what it was fitted to, could not be stored.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A component is missing, or failed beside a fit: when it chose what to measure.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Onboarding is for latencies.
    #[error("the recipe `{0}` predicts energies; onboarding is for latencies")]
    NotLatency(String),
    /// The budget is not enough for a first fit.
    #[error("a budget of {budget}; {FIRST} architectures or more are needed for a first fit")]
    SmallBudget {
        /// Architectures that were to be measured in all.
        budget: usize,
    },
    /// The budget is not enough to learn of operators from.
    #[error("a budget of {budget} networks; 50 or more are needed to learn what operators take, 200 are better")]
    FewNetworks {
        /// Networks that were to be measured in all.
        budget: usize,
    },
    /// Most networks were left out.
    #[error(
        "only {measured} of {asked} networks could be measured, too few to learn from; see why the others were left out"
    )]
    NotMeasured {
        /// Networks with a measurement.
        measured: usize,
        /// Networks that were asked for.
        asked: usize,
    },
    /// There is too little to rehearse with.
    #[error(
        "{rows} measured architectures; a rehearsal needs {needed} or more, of which {budget} are chosen and the others tell the error"
    )]
    NothingToRehearse {
        /// Architectures that are measured.
        rows: usize,
        /// The fewest that are enough: the budget, and those that tell the error.
        needed: usize,
        /// Architectures that the rehearsal was to choose.
        budget: usize,
    },
}

impl Onboarding<'_> {
    /// Refuses what can never succeed.
    ///
    /// # Errors
    /// Those that need no measurements to be seen.
    pub fn check(&self) -> Result<(), OnboardError> {
        let recipe = self.training.recipe;
        if !recipe.target.quantity().is_latency() {
            return Err(OnboardError::NotLatency(recipe.name.clone()));
        }
        if self.budget < FIRST {
            let budget = self.budget;
            return Err(OnboardError::SmallBudget { budget });
        }
        Ok(try_out(&self.training)?)
    }

    /// Chooses what to have measured by `measure`, and fits; the content of a version, to be created. `progress` is told of it; fits end
    /// early where it is `stopped`.
    ///
    /// # Errors
    /// Those of `measure`, and why there is no content. What is measured is recorded.
    pub fn run<E: From<OnboardError>>(
        &self,
        progress: &mut dyn FnMut(OnboardEvent<'_>) -> Result<(), E>,
        measure: &mut dyn FnMut(&[Architecture]) -> Result<(), E>,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Onboarded, NewVersion), E> {
        let Training { store, hardware, .. } = self.training;
        let started = Instant::now();
        self.check()?;
        let there = store.hardware(hardware).ok();
        let batch = there.map_or(self.batch, |target| Setup::of_target(&target).batch);
        let mut known = self.before.clone();
        let sources = match known.sources.take() {
            Some(sources) => sources,
            None if self.transfer => sources::sources(
                &self.training,
                batch,
                self.sources.as_deref(),
                &mut |source| progress(OnboardEvent::Learning(source)),
                stopped,
            )?,
            None => Vec::new(),
        };
        let priors: Vec<Vec<u8>> = sources.iter().map(|source| source.state.clone()).collect();
        let names = sources.iter().map(|source| source.hardware.to_string()).collect();
        known.sources = Some(sources);
        progress(OnboardEvent::Known(&known))?;
        let before = known.steps.last().map_or(0.0, |step| step.seconds);
        loop {
            let measured = self.measured()?;
            let rows = measured.labels.len();
            if rows >= FIRST {
                let trained = self.fit(&priors, &measured, stopped)?;
                let told = trained.estimates.iter().map(|estimate| estimate.value);
                let step = Step::of(&measured.labels, told, before + started.elapsed().as_secs_f64());
                // What was known before may be as much.
                known.steps.retain(|step| step.measured < rows);
                known.steps.push(step);
                progress(OnboardEvent::Known(&known))?;
                let reached = step.reaches(self.goal);
                if reached || rows >= self.budget {
                    let content = self.training.content(&measured, &trained, self.actor);
                    let found = Onboarded {
                        forecast: Forecast::of(&known.steps),
                        sources: names,
                        steps: known.steps,
                        reached,
                    };
                    return Ok((found, content.map_err(OnboardError::from)?));
                }
            }
            let more = match rows {
                0..FIRST => FIRST - rows,
                _ => (rows / 4).max(5),
            };
            let more = more.min(self.budget - rows);
            progress(OnboardEvent::Measuring {
                done: rows,
                of: rows + more,
            })?;
            measure(&self.choose(&priors, &measured, more)?)?;
        }
    }

    /// What is measured; nothing where the target is not there yet.
    fn measured(&self) -> Result<TrainingData, OnboardError> {
        let Training {
            store, space, hardware, ..
        } = self.training;
        match store.hardware(hardware) {
            Ok(_) => Ok(TrainingData::measured(store, hardware, space, Quantity::Latency)?),
            Err(lglp_registry::Error::NotFound { .. }) => Ok(TrainingData::default()),
            Err(error) => Err(error.into()),
        }
    }

    fn fit(
        &self,
        priors: &[Vec<u8>],
        measured: &TrainingData,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Trained, OnboardError> {
        let split = Split::whole(measured.labels.len());
        Ok(train(self.training.fitting(priors), measured, split, &mut |_| {
            !stopped()
        })?)
    }

    fn choose(
        &self,
        priors: &[Vec<u8>],
        measured: &TrainingData,
        count: usize,
    ) -> Result<Vec<Architecture>, OnboardError> {
        let Training {
            store, space, hardware, ..
        } = self.training;
        let known = match store.measured_digests(hardware, space.name(), 0) {
            Err(lglp_registry::Error::NotFound { .. }) => BTreeSet::new(),
            known => known?,
        };
        let chosen = candidates::choose(&self.training, priors, &measured.architectures, &known, count)?;
        if chosen.is_empty() {
            let (available, asked) = (known.len(), self.budget);
            return Err(MeasureError::SpaceTooSmall { available, asked }.into());
        }
        Ok(chosen)
    }
}

/// Fits the recipe to as few rows as it will have at first, with multiply-accumulates in the place of latencies: one that cannot tell its
/// error from them is refused before anything is measured.
fn try_out(training: &Training<'_>) -> Result<(), TrainError> {
    // An extractor is fitted to every row: what the regressor behind it says of a row that it left out is not to be believed.
    if training.recipe.extractor.is_some() {
        return Err(TrainError::NothingToTest(training.recipe.name.clone()));
    }
    let architectures: Vec<Architecture> = Sampler::new(training.space, training.seed).take(FIRST).collect();
    let macs = |architecture: &Architecture| networks::macs_if_any(training.space, architecture).max(1) as f64;
    let data = TrainingData {
        labels: architectures.iter().map(macs).collect(),
        architectures,
        quantity: Quantity::Latency,
        ..TrainingData::default()
    };
    train(training.fitting(&[]), &data, Split::whole(FIRST), &mut |_| true).map(drop)
}

impl Step {
    /// Whether a goal, percent, is reached: where the estimate is below it by its own standard error.
    fn reaches(&self, goal: Option<f64>) -> bool {
        goal.is_some_and(|goal| self.error + self.uncertainty <= goal)
    }

    /// Of what was measured, and what all other rows tell of each.
    fn of(measured: &[f64], told: impl Iterator<Item = f64>, seconds: f64) -> Self {
        let rows = measured.len() as f64;
        let errors = measured.iter().zip(told);
        let errors: Vec<f64> = errors.map(|(y, told)| 100.0 * (told / y - 1.0).abs()).collect();
        let mean = errors.iter().sum::<f64>() / rows;
        let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
        Self {
            measured: measured.len(),
            error: mean,
            uncertainty: (variance / rows).sqrt(),
            seconds,
        }
    }
}
