//! Onboarding: from a device that nothing is known of to a version, by few measurements. What is measured is chosen, the fit begins
//! with what other targets teach, and how well it predicts is told by the rows themselves, each left out in its turn.

mod candidates;
mod forecast;
mod rehearsal;
mod sources;

use std::time::{Duration, Instant};

use lglp_registry::{Quantity, Version};
use lglp_sdk::{Architecture, Sampler};
use serde::Serialize;

pub use forecast::Forecast;
pub use rehearsal::{Rehearsal, Way};
pub use sources::Source;

use crate::measure::{Campaign, CampaignEvent, MeasureError, Protocol, Setup, Wanted};
use crate::networks;
use crate::plugins::PluginError;
use crate::spaces::Spaces;
use crate::train::{DataError, KeepError, Split, TrainError, Trained, Training, TrainingData, train};

/// Architectures that are measured before the first fit.
const FIRST: usize = 10;

/// A device that is to be known.
pub struct Onboarding<'a> {
    /// What is trained, where.
    pub training: Training<'a>,
    pub spaces: &'a Spaces,
    /// How it measures, where it is not there yet.
    pub setup: Setup,
    pub protocol: Protocol,
    /// Architectures to measure in all, those that are measured already included.
    pub budget: usize,
    /// The mean relative error at which it ends, percent: reached where the estimate is below it by its own standard error.
    pub goal: Option<f64>,
    /// Whether the fit begins with what other targets teach.
    pub transfer: bool,
    /// Who measures, for the audit log.
    pub actor: &'a str,
}

/// What is known after some measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    pub measured: usize,
    /// Mean relative error of rows that are left out, percent.
    pub error: f64,
    /// Standard error of that mean, percent.
    pub uncertainty: f64,
    /// Of the measuring and fitting so far.
    pub seconds: f64,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum OnboardEvent<'a> {
    /// Another target's measurements are learned from.
    Learning(&'a Source),
    /// Measuring goes on, to this many architectures.
    Measuring {
        done: usize,
        of: usize,
    },
    Campaign(CampaignEvent),
    Step(&'a Step),
}

/// How it ended.
#[derive(Debug, Serialize)]
pub struct Onboarded {
    pub steps: Vec<Step>,
    /// Names of the targets that the fit began with.
    pub sources: Vec<String>,
    pub version: Version,
    /// What more measurements would bring; none after a single step.
    pub forecast: Option<Forecast>,
    /// Whether the goal was reached.
    pub reached: bool,
}

/// Why it did not come to an end. What is measured is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardError {
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Onboarding is for latencies.
    #[error("the recipe `{0}` predicts energies; onboarding is for latencies")]
    NotLatency(String),
    #[error("a budget of {budget}; {FIRST} architectures or more are needed for a first fit")]
    SmallBudget { budget: usize },
    /// There is too little to rehearse with.
    #[error(
        "{rows} measured architectures; a rehearsal needs {needed} or more, of which {budget} are chosen and the others tell the error"
    )]
    NothingToRehearse { rows: usize, needed: usize, budget: usize },
}

impl Onboarding<'_> {
    /// Measures, fits and makes a version. `progress` is told of it; before each measurement `stopped` is asked.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(OnboardEvent<'_>),
        stopped: &dyn Fn() -> bool,
    ) -> Result<Onboarded, OnboardError> {
        let training = &self.training;
        let Training {
            store,
            host,
            space,
            hardware,
            recipe,
            ..
        } = *training;
        if !recipe.target.quantity().is_latency() {
            return Err(OnboardError::NotLatency(recipe.name.clone()));
        }
        if self.budget < FIRST {
            let budget = self.budget;
            return Err(OnboardError::SmallBudget { budget });
        }
        let started = Instant::now();
        try_out(training)?;
        let known = store.hardware(hardware).ok();
        let batch = known
            .as_ref()
            .map_or(self.setup.batch, |target| Setup::of_target(target).batch);
        let sources = match self.transfer {
            true => sources::sources(training, batch, &mut |source| progress(OnboardEvent::Learning(source)))?,
            false => Vec::new(),
        };
        let priors: Vec<Vec<u8>> = sources.iter().map(|source| source.state.clone()).collect();
        let mut steps = Vec::new();
        loop {
            let (measured, known) = match store.hardware(hardware) {
                Ok(_) => (
                    TrainingData::measured(store, hardware, space, Quantity::Latency)?,
                    store.measured_digests(hardware, &space.name, 0)?,
                ),
                Err(lglp_registry::Error::NotFound { .. }) => Default::default(),
                Err(error) => return Err(error.into()),
            };
            let rows = measured.labels.len();
            if rows >= FIRST {
                let trained = train(training.fitting(&priors), &measured, Split::whole(rows), &mut |_| {
                    !stopped()
                })?;
                let step = step(&measured, &trained, started.elapsed());
                progress(OnboardEvent::Step(&step));
                let reached = self.goal.is_some_and(|goal| step.error + step.uncertainty <= goal);
                steps.push(step);
                if reached || rows >= self.budget {
                    let content = training.content(&measured, &trained, self.actor)?;
                    let version = store.create_version(hardware, &content, None)?;
                    return Ok(Onboarded {
                        forecast: Forecast::of(&steps),
                        sources: sources.iter().map(|source| source.hardware.to_string()).collect(),
                        steps,
                        version,
                        reached,
                    });
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
            });
            let chosen = candidates::choose(training, &measured.architectures, &known, more)?;
            if chosen.is_empty() {
                let (available, asked) = (known.len(), self.budget);
                return Err(MeasureError::SpaceTooSmall { available, asked }.into());
            }
            let campaign = Campaign {
                store,
                host,
                space,
                spaces: self.spaces,
                hardware,
                setup: Some(self.setup.clone()),
                protocol: self.protocol.clone(),
                wanted: Wanted::These {
                    round: 0,
                    architectures: &chosen,
                },
                actor: self.actor,
            };
            campaign.run(&mut |event| progress(OnboardEvent::Campaign(event)), stopped)?;
        }
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
    let macs = |architecture: &Architecture| networks::cost(training.space, architecture).macs as f64;
    let data = TrainingData {
        labels: architectures.iter().map(macs).collect(),
        architectures,
        quantity: Quantity::Latency,
    };
    train(training.fitting(&[]), &data, Split::whole(FIRST), &mut |_| true).map(drop)
}

fn step(measured: &TrainingData, trained: &Trained, elapsed: Duration) -> Step {
    let rows = measured.labels.len() as f64;
    let errors = measured.labels.iter().zip(&trained.predicted);
    let errors: Vec<f64> = errors.map(|(y, told)| 100.0 * (told / y - 1.0).abs()).collect();
    let mean = errors.iter().sum::<f64>() / rows;
    let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
    Step {
        measured: measured.labels.len(),
        error: mean,
        uncertainty: (variance / rows).sqrt(),
        seconds: elapsed.as_secs_f64(),
    }
}
