//! Onboarding jobs. What is measured is recorded, and what was known after each step is kept, so that one that was cut off, or waited
//! for workers, goes on where it was.

use lglp_openapi::jobs::{MeasureParameters, ONBOARD_LIMIT, OnboardParameters};
use lglp_registry::{Error, HardwareName, Job, Result};
use lglp_sdk::Architecture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_workers::Needed;
use super::fleet::Measurer;
use super::measure::setup;
use super::{JobError, Run, Tools, Work};
use crate::idempotency::own_key;
use crate::measure::{Campaign, CampaignEvent, Plan, Protocol, Wanted};
use crate::onboard::{OnboardEvent, Onboarding, Step};
use crate::predictor::Recipe;
use crate::train::Training;

/// What was known after each step.
#[derive(Default, Serialize, Deserialize)]
struct Checkpoint {
    steps: Vec<Step>,
}

/// The measuring that it amounts to.
fn measuring(parameters: &OnboardParameters) -> MeasureParameters {
    MeasureParameters {
        space: parameters.space.clone(),
        count: parameters.budget,
        weighted: 0,
        round: 0,
        seed: parameters.seed,
        plan: None,
        runtime: parameters.runtime.clone(),
        settings: parameters.settings.clone(),
        batch_size: parameters.batch_size,
        budget_s: parameters.budget_s,
    }
}

impl Work for OnboardParameters {
    fn check(&self, hardware: &HardwareName, tools: &Tools) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        if self.budget > ONBOARD_LIMIT {
            return refuse("budget", format!("expected 10 to {ONBOARD_LIMIT}, got {}", self.budget));
        }
        if let Some(goal) = self.until_mape.filter(|goal| !(*goal > 0.0 && *goal <= 100.0)) {
            return refuse(
                "until_mape",
                format!("expected percent, more than 0 and at most 100, got {goal}"),
            );
        }
        measuring(self).check(hardware, tools)?;
        let recipe = match Recipe::load(&tools.recipes, &self.recipe) {
            Ok(recipe) => recipe,
            Err(error) => return refuse("recipe", error.to_string()),
        };
        let space = match tools.spaces.get(&self.space) {
            Ok(space) => space,
            Err(unknown) => return refuse("space", unknown.to_string()),
        };
        let training = Training {
            store: &*tools.store,
            host: &tools.host,
            space,
            hardware,
            recipe: &recipe,
            seed: self.seed,
        };
        let field = if self.budget < 10 { "budget" } else { "recipe" };
        let onboarding = onboarding(self, training, Vec::new(), "", "");
        onboarding.check().or_else(|error| refuse(field, error.to_string()))
    }

    fn run(&self, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<Value, JobError> {
        let recipe = Recipe::load(&tools.recipes, &self.recipe)?;
        let training = Training {
            store: &*tools.store,
            host: &tools.host,
            space: tools.spaces.get(&self.space)?,
            hardware: &job.hardware,
            recipe: &recipe,
            seed: self.seed,
        };
        let kept = match &job.checkpoint {
            Value::Null => Checkpoint::default(),
            kept => Checkpoint::deserialize(kept).map_err(JobError::Checkpoint)?,
        };
        let key = own_key(&format!("job-{}", job.id));
        let onboarding = onboarding(self, training, kept.steps, &job.created_by, &key);
        let mut told = Told {
            run,
            of: self.budget as u64,
            done: 0,
            known: String::new(),
        };
        let told = std::cell::RefCell::new(&mut told);
        let mut progress = |event: OnboardEvent<'_>| told.borrow_mut().event(&event);
        let mut measure =
            |architectures: &[Architecture]| match Measurer::of(training.store, tools.host.machine(), &job.hardware)? {
                Measurer::Workers => by_workers(self, job, tools, training, architectures),
                Measurer::Here => {
                    let mut progress = |event| told.borrow_mut().measuring(event);
                    here(self, job, tools, training, architectures, &mut progress, run)
                }
            };
        let found = onboarding.run(&mut progress, &mut measure, &|| run.is_stopped())?;
        let version = &found.version;
        Ok(json!({
            "version": version.version, "digest": version.digest, "metrics": version.content.metrics,
            "steps": found.steps, "sources": found.sources, "forecast": found.forecast, "reached": found.reached,
        }))
    }
}

fn onboarding<'a>(
    parameters: &OnboardParameters,
    training: Training<'a>,
    before: Vec<Step>,
    actor: &'a str,
    key: &'a str,
) -> Onboarding<'a> {
    Onboarding {
        training,
        batch: setup(&measuring(parameters)).batch,
        budget: parameters.budget,
        goal: parameters.until_mape,
        transfer: !parameters.alone,
        before,
        actor,
        idempotency_key: Some(key),
    }
}

fn by_workers(
    parameters: &OnboardParameters,
    job: &Job,
    tools: &Tools,
    training: Training<'_>,
    architectures: &[Architecture],
) -> Result<(), JobError> {
    let texts = architectures.iter().map(|a| training.space.canonical_text(a));
    let plan = Plan::of(texts.collect());
    // What is asked for next depends on all that is measured.
    let measured = training
        .store
        .measured_digests(training.hardware, &training.space.name, 0)?
        .len();
    let needed = Needed {
        job,
        space: &training.space.name,
        budget_s: parameters.budget_s,
        plan: &plan,
        part: &format!("after-{measured}"),
    };
    needed.measured(tools)
}

fn here(
    parameters: &OnboardParameters,
    job: &Job,
    tools: &Tools,
    training: Training<'_>,
    architectures: &[Architecture],
    progress: &mut dyn FnMut(CampaignEvent),
    run: &Run<'_>,
) -> Result<(), JobError> {
    let campaign = Campaign {
        store: training.store,
        host: training.host,
        space: training.space,
        spaces: &tools.spaces,
        hardware: &job.hardware,
        setup: Some(setup(&measuring(parameters))),
        protocol: Protocol::within(parameters.budget_s)?,
        wanted: Wanted::These {
            round: 0,
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
                "learning from {} ({} measurements)",
                source.hardware, source.rows
            )),
            OnboardEvent::Measuring { done, .. } => {
                self.done = *done as u64;
                self.say(self.known.clone());
            }
            OnboardEvent::Steps(steps) => {
                if let Some(step) = steps.last() {
                    self.done = step.measured as u64;
                    self.known = format!(
                        "error {:.1} +- {:.1} % after {} measurements",
                        step.error, step.uncertainty, step.measured
                    );
                }
                self.say(self.known.clone());
                let steps = steps.to_vec();
                self.run.checkpoint(&json!(Checkpoint { steps }))?;
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
