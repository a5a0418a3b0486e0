//! Onboarding jobs. What is measured is recorded, and what was known after each step is kept, so that one that was cut off, or waited
//! for workers, goes on where it was.

use std::cell::RefCell;

use lglp_engine::measure::{Campaign, CampaignEvent, Plan, Protocol, Wanted};
use lglp_engine::onboard::{FIRST, Known, OnboardEvent, Onboarded, Onboarding, Source, Step};
use lglp_engine::predictor::Recipe;
use lglp_engine::spaces::SpaceError;
use lglp_engine::train::Training;
use lglp_openapi::jobs::{MeasureParameters, ONBOARD_LIMIT, OnboardParameters};
use lglp_registry::{Digest, Error, HardwareName, Job, NewVersion, Result, Store, canonical_json};
use lglp_sdk::{Architecture, SearchSpace, count};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_workers::Needed;
use super::measure::{agrees, setup};
use super::measurer::Measurer;
use super::{JobError, Run, Services, Work};
use crate::idempotency::own_key;

/// What an onboarding keeps, to go on with.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Checkpoint {
    steps: Vec<Step>,
    /// What other targets teach; none before they were asked.
    sources: Option<Vec<KeptSource>>,
    /// How it ended, before its version is created: a process that goes away in between makes neither a second version nor
    /// another one.
    ended: Option<Ended>,
}

#[derive(Serialize, Deserialize)]
struct KeptSource {
    hardware: HardwareName,
    rows: usize,
    /// The blob that holds the state.
    state: Digest,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    found: Onboarded,
    /// The blob that holds the version's content.
    content: Digest,
}

impl Checkpoint {
    fn of(job: &Job) -> Result<Self, JobError> {
        match &job.checkpoint {
            Value::Null => Ok(Self::default()),
            kept => Self::deserialize(kept).map_err(JobError::Checkpoint),
        }
    }

    fn keep(known: &Known, store: &dyn Store) -> Result<Self> {
        let keep = |source: &Source| {
            Ok(KeptSource {
                hardware: source.hardware.clone(),
                rows: source.rows,
                state: store.put_blob(&source.state)?,
            })
        };
        let sources = known.sources.as_ref().map(|sources| sources.iter().map(keep).collect());
        Ok(Self {
            steps: known.steps.clone(),
            sources: sources.transpose()?,
            ended: None,
        })
    }

    fn known(&self, store: &dyn Store) -> Result<Known> {
        let read = |kept: &KeptSource| {
            Ok(Source {
                hardware: kept.hardware.clone(),
                rows: kept.rows,
                state: store.get_blob(&kept.state)?,
            })
        };
        let sources = self.sources.as_ref().map(|sources| sources.iter().map(read).collect());
        Ok(Known {
            sources: sources.transpose()?,
            steps: self.steps.clone(),
        })
    }
}

/// The space that it is about.
fn space_of<'t>(
    parameters: &OnboardParameters,
    hardware: &HardwareName,
    services: &'t Services,
) -> Result<&'t SearchSpace> {
    let asked = parameters.space.as_deref();
    match services.spaces.of_new_target(&*services.store, hardware, asked) {
        Ok(space) => Ok(space),
        Err(SpaceError::Registry(error)) => Err(error),
        Err(unclear) => Err(Error::invalid("parameters.space", unclear.to_string())),
    }
}

/// The measuring that it amounts to.
fn measuring(parameters: &OnboardParameters, space: &SearchSpace) -> MeasureParameters {
    MeasureParameters {
        space: space.name().to_owned(),
        count: parameters.budget,
        weighted: 0,
        replicate: 0,
        seed: parameters.seed,
        plan: None,
        runtime: parameters.runtime.clone(),
        settings: parameters.settings.clone(),
        batch_size: parameters.batch_size,
        budget_s: parameters.budget_s,
    }
}

impl Work for OnboardParameters {
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        if !(FIRST..=ONBOARD_LIMIT).contains(&self.budget) {
            return refuse(
                "budget",
                format!("expected {FIRST} to {ONBOARD_LIMIT}, got {}", self.budget),
            );
        }
        if let Some(goal) = self.until_mape.filter(|goal| !(*goal > 0.0 && *goal <= 100.0)) {
            return refuse(
                "until_mape",
                format!("expected percent, more than 0 and at most 100, got {goal}"),
            );
        }
        for (at, source) in self.sources.iter().flatten().enumerate() {
            let there = source
                .parse::<HardwareName>()
                .and_then(|source| match source == *hardware {
                    // The job creates it.
                    true => Ok(()),
                    false => services.store.hardware(&source).map(drop),
                });
            if let Err(error) = there {
                return refuse(&format!("sources.{at}"), error.to_string());
            }
        }
        let space = space_of(self, hardware, services)?;
        measuring(self, space).check(hardware, services)?;
        let recipe = match Recipe::load(&services.recipes, &self.recipe) {
            Ok(recipe) => recipe,
            Err(error) => return refuse("recipe", error.to_string()),
        };
        let training = Training {
            store: &*services.store,
            host: &services.host,
            space,
            hardware,
            recipe: &recipe,
            seed: self.seed,
        };
        let onboarding = onboarding(self, training, Known::default(), "");
        onboarding.check().or_else(|error| refuse("recipe", error.to_string()))
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        let recipe = Recipe::load(&services.recipes, &self.recipe)?;
        let training = Training {
            store: &*services.store,
            host: &services.host,
            space: space_of(self, &job.hardware, services)?,
            hardware: &job.hardware,
            recipe: &recipe,
            seed: self.seed,
        };
        match services.store.hardware(&job.hardware) {
            // It may have come since the job was submitted.
            Ok(target) => agrees(&measuring(self, training.space), &target)?,
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let kept = Checkpoint::of(job)?;
        let ended = match kept.ended {
            Some(ended) => ended,
            None => {
                let before = kept.known(&*services.store)?;
                onboard(self, job, services, run, training, before)?
            }
        };
        let content: NewVersion =
            serde_json::from_slice(&services.store.get_blob(&ended.content)?).map_err(JobError::Checkpoint)?;
        let key = own_key(&format!("job-{}", job.id));
        let version = services.store.create_version(&job.hardware, &content, Some(&key))?;
        let mut result = json!(ended.found);
        result["version"] = json!(version.version);
        result["digest"] = json!(version.digest);
        result["metrics"] = json!(version.content.metrics);
        Ok(result)
    }
}

/// Measures and fits, and keeps what came out.
fn onboard(
    parameters: &OnboardParameters,
    job: &Job,
    services: &Services,
    run: &Run<'_>,
    training: Training<'_>,
    before: Known,
) -> Result<Ended, JobError> {
    let told = RefCell::new(Told {
        run,
        store: &*services.store,
        of: parameters.budget as u64,
        done: 0,
        known: String::new(),
    });
    let mut progress = |event: OnboardEvent<'_>| told.borrow_mut().event(&event);
    let mut measure = |architectures: &[Architecture]| match Measurer::of(
        &*services.store,
        services.host.machine(),
        &job.hardware,
    )? {
        Measurer::Workers => by_workers(parameters, job, services, training, architectures),
        Measurer::Here => {
            let mut progress = |event| told.borrow_mut().measuring(event);
            here(parameters, job, services, training, architectures, &mut progress, run)
        }
    };
    let onboarding = onboarding(parameters, training, before, &job.created_by);
    let (found, content) = onboarding.run(&mut progress, &mut measure, &|| run.is_stopped())?;
    let content = services.store.put_blob(&canonical_json(&content)?)?;
    let ended = Ended { found, content };
    run.checkpoint(&json!({ "ended": ended }))?;
    Ok(ended)
}

fn onboarding<'a>(
    parameters: &OnboardParameters,
    training: Training<'a>,
    before: Known,
    actor: &'a str,
) -> Onboarding<'a> {
    Onboarding {
        training,
        batch: setup(&measuring(parameters, training.space)).batch,
        budget: parameters.budget,
        goal: parameters.until_mape,
        transfer: !parameters.alone,
        sources: parameters
            .sources
            .as_ref()
            .map(|names| names.iter().filter_map(|name| name.parse().ok()).collect()),
        before,
        actor,
    }
}

fn by_workers(
    parameters: &OnboardParameters,
    job: &Job,
    services: &Services,
    training: Training<'_>,
    architectures: &[Architecture],
) -> Result<(), JobError> {
    let texts = architectures.iter().map(|a| training.space.canonical_text(a));
    let plan = Plan::of(texts.collect());
    // What is asked for next depends on all that is measured.
    let measured = training
        .store
        .measured_digests(training.hardware, training.space.name(), 0)?
        .len();
    let needed = Needed {
        job,
        space: training.space.name(),
        budget_s: parameters.budget_s,
        plan: &plan,
        part: &format!("after-{measured}"),
    };
    needed.measured(services)
}

fn here(
    parameters: &OnboardParameters,
    job: &Job,
    services: &Services,
    training: Training<'_>,
    architectures: &[Architecture],
    progress: &mut dyn FnMut(CampaignEvent),
    run: &Run<'_>,
) -> Result<(), JobError> {
    let campaign = Campaign {
        store: training.store,
        host: training.host,
        space: training.space,
        spaces: &services.spaces,
        hardware: &job.hardware,
        setup: Some(setup(&measuring(parameters, training.space))),
        protocol: Protocol::within(parameters.budget_s)?,
        wanted: Wanted::These {
            replicate: 0,
            architectures,
        },
        actor: &job.created_by,
    };
    campaign.run(progress, &|| run.is_stopped())?;
    Ok(())
}

/// What is told meanwhile.
struct Told<'a> {
    run: &'a Run<'a>,
    store: &'a dyn Store,
    /// Measured architectures, of those that there may be.
    done: u64,
    of: u64,
    /// What is known so far, in words.
    known: String,
}

impl Told<'_> {
    fn event(&mut self, event: &OnboardEvent<'_>) -> Result<(), JobError> {
        if self.run.is_stopped() {
            return Err(JobError::Stopped);
        }
        match event {
            OnboardEvent::Learning(source) => self.say(format!(
                "learning from {} ({})",
                source.hardware,
                count(source.rows, "measurement")
            )),
            OnboardEvent::Measuring { done, .. } => {
                self.done = *done as u64;
                self.say(self.known.clone());
            }
            OnboardEvent::Known(known) => {
                if let Some(step) = known.steps.last() {
                    self.done = step.measured as u64;
                    self.known = format!(
                        "error {:.1} +- {:.1} % after {}",
                        step.error,
                        step.uncertainty,
                        count(step.measured, "measurement")
                    );
                }
                self.say(self.known.clone());
                self.run.checkpoint(&json!(Checkpoint::keep(known, self.store)?))?;
            }
        }
        Ok(())
    }

    fn measuring(&mut self, event: CampaignEvent) {
        match event {
            CampaignEvent::Waiting => self.say("another process measures on the device".into()),
            CampaignEvent::Calibrating { done, of } => {
                self.say(format!("calibrating the reference network, {done} of {of}"));
            }
            CampaignEvent::Resuming { .. } => {}
            CampaignEvent::LeftOut(network) => self.say(network.to_string()),
            CampaignEvent::Measured { .. } => {
                self.done += 1;
                self.say(self.known.clone());
            }
        }
    }

    fn say(&self, note: String) {
        self.run.progress(self.done, self.of, note);
    }
}
