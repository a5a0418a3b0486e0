//! Validating jobs. What they are to measure is chosen once and kept, so that one that was cut off goes on with the same.

use std::sync::Arc;

use lglp_engine::measure::{CampaignEvent, MeasureError, Protocol};
use lglp_engine::networks::GivenNetwork;
use lglp_engine::validate::{Judges, Method, Rows, Selection, ValidateError, Validating, can_measure};
use lglp_openapi::jobs::{SelectionMethod, ValidateParameters, ValidationJudges, ValidationRows};
use lglp_registry::{Digest, Error, HardwareName, Job, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_workers::Needed;
use super::measurer::Measurer;
use super::networks::{check_stored, structures};
use super::plans::KeptPlan;
use super::{JobError, Run, Services, Work};
use crate::idempotency::own_key;

/// What is to be measured: a thousand texts are too large for a record that is written every second.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The blob that holds the plan.
    plan: Digest,
    /// Whose measurements it is about.
    #[serde(default)]
    on: Rows,
}

impl Work for ValidateParameters {
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()> {
        services.store.version(hardware, self.version)?;
        let (least, most) = (Selection::LEAST, Selection::MOST);
        if !(least..=most).contains(&self.n) {
            let reason = format!("expected {least} to {most}, got {}", self.n);
            return Err(Error::invalid("parameters.n", reason));
        }
        if self.on == Some(ValidationRows::Fresh) && !is_measurable(hardware, services)? {
            let reason = format!("`{hardware}` cannot be measured here; ask for `recorded` or `held_out` ones");
            return Err(Error::invalid("parameters.on", reason));
        }
        if self.by == Some(ValidationJudges::Architectures) && self.networks.is_some() {
            let reason = "networks are named; leave it out, or let it be `networks`";
            return Err(Error::invalid("parameters.by", reason));
        }
        if let Some(on) = self
            .on
            .filter(|on| self.networks.is_some() && *on != ValidationRows::Fresh)
        {
            let reason = format!(
                "networks that are named are measured: `fresh`, or left out, and not {}",
                json!(on)
            );
            return Err(Error::invalid("parameters.on", reason));
        }
        let of_networks = self.networks.is_some() || self.by == Some(ValidationJudges::Networks);
        if of_networks && self.select != SelectionMethod::Random {
            return Err(Error::invalid(
                "parameters.select",
                "networks are chosen at random: leave it out",
            ));
        }
        if of_networks && self.on == Some(ValidationRows::HeldOut) {
            let reason = "networks are not held out; ask for `fresh` or `recorded` ones";
            return Err(Error::invalid("parameters.on", reason));
        }
        if let Some(plan) = named(self, services)? {
            let refused = |e: Error| Error::invalid("parameters.networks", e.to_string());
            plan.networks(&structures(services)).map_err(refused)?;
            check_stored(&plan, services).map_err(refused)?;
        }
        Protocol::within(self.budget_s).map(drop)
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        let given = match named(self, services)? {
            Some(plan) => plan.networks(&structures(services))?,
            None => None,
        };
        let mut validating = Validating {
            store: &*services.store,
            host: &services.host,
            spaces: &services.spaces,
            versions: &*services.serving,
            hardware: &job.hardware,
            version: self.version,
            judges: Judges::Architectures,
            selection: selection(self),
            protocol: Protocol::within(self.budget_s)?,
        };
        validating.judges = judges(self, given.as_deref(), &validating)?;
        let plan = match &job.checkpoint {
            Value::Null => {
                if self.on.is_none() && given.is_none() {
                    validating.selection.on = validating.default_rows(is_measurable(&job.hardware, services)?)?;
                }
                let plan = validating.plan()?;
                let (kept, on) = (services.plans.keep(&*services.store, &plan)?, validating.selection.on);
                run.checkpoint(&json!(Checkpoint { plan: kept, on }))?;
                Arc::new(KeptPlan::from(plan))
            }
            kept => {
                let kept = Checkpoint::deserialize(kept).map_err(JobError::Checkpoint)?;
                validating.selection.on = kept.on;
                services.plans.read(&*services.store, &kept.plan)?
            }
        };
        let (mut done, of) = (0, plan.architectures.len() as u64);
        let mut progress = |event| match event {
            CampaignEvent::Waiting => run.progress(done, of, "another process measures on the device".into()),
            CampaignEvent::Calibrating { .. } => {}
            CampaignEvent::LeftOut(network) => run.progress(done, of, network.to_string()),
            CampaignEvent::Resuming { done: before } => {
                done = before as u64;
                run.progress(done, of, format!("{before} measured before"));
            }
            CampaignEvent::Measured { latency_ms, .. } => {
                done += 1;
                run.progress(done, of, format!("{latency_ms:.1} ms"));
            }
        };
        if validating.selection.on != Rows::Fresh {
            run.progress(of, of, format!("{} measurements", validating.selection.on.adjective()));
        } else if Measurer::of(&*services.store, services.host.machine(), &job.hardware)? == Measurer::Workers {
            // Workers fetch them.
            for network in validating.networks_of(&plan)?.iter().flatten() {
                services
                    .store
                    .put_blob(&network.structure().map_err(MeasureError::from)?)?;
            }
            let needed = Needed {
                job,
                space: &validating.space(&plan)?,
                budget_s: self.budget_s,
                plan: &plan,
                part: "measuring",
            };
            needed.measured(services)?;
        } else {
            validating.measure(&plan, &job.created_by, &mut progress, &|| run.is_stopped())?;
        }
        let key = own_key(&format!("job-{}", job.id));
        let report = validating.report(&plan, &job.created_by, Some(&key))?;
        let content = &report.content;
        Ok(json!({
            "validation": report.number, "version": content.version, "metrics": content.metrics,
            "coverage": content.coverage,
        }))
    }
}

/// The networks that are named to judge a version by.
fn named(parameters: &ValidateParameters, services: &Services) -> Result<Option<Arc<KeptPlan>>> {
    let Some(networks) = &parameters.networks else {
        return Ok(None);
    };
    let refuse = |reason: String| Error::invalid("parameters.networks", reason);
    let digest: Digest = networks.parse().map_err(|e: Error| refuse(e.to_string()))?;
    let plan = services
        .plans
        .read(&*services.store, &digest)
        .map_err(|e| refuse(e.to_string()))?;
    match plan.names.is_empty() {
        true => Err(refuse(
            "it has no `names`, which tell what people call each network".into(),
        )),
        false => Ok(Some(plan)),
    }
}

/// What judges a version, by the contract's parameters; `given` are the networks that these name.
///
/// # Errors
/// Where the version cannot be loaded, which tells it where nobody says.
pub fn judges<'a>(
    parameters: &ValidateParameters,
    given: Option<&'a [GivenNetwork]>,
    validating: &Validating<'_>,
) -> std::result::Result<Judges<'a>, ValidateError> {
    match (given, parameters.by) {
        (Some(given), _) => Ok(Judges::Given(given)),
        (None, Some(ValidationJudges::Architectures)) => Ok(Judges::Architectures),
        (None, Some(ValidationJudges::Networks)) => Ok(Judges::Networks),
        (None, None) => validating.default_judges(),
    }
}

/// What the contract's parameters choose; where they do not say whose measurements, fresh ones.
pub fn selection(parameters: &ValidateParameters) -> Selection {
    Selection {
        on: match parameters.on {
            None => Rows::default(),
            Some(ValidationRows::Fresh) => Rows::Fresh,
            Some(ValidationRows::Recorded) => Rows::Recorded,
            Some(ValidationRows::HeldOut) => Rows::HeldOut,
        },
        method: match parameters.select {
            SelectionMethod::Random => Method::Random,
            SelectionMethod::Stratified => Method::Stratified,
            SelectionMethod::Disagreement => Method::Disagreement,
        },
        n: parameters.n,
        seed: parameters.seed,
    }
}

/// Whether the server's machine can measure a target, or workers do.
fn is_measurable(hardware: &HardwareName, services: &Services) -> Result<bool> {
    let by_workers = Measurer::of(&*services.store, services.host.machine(), hardware)? == Measurer::Workers;
    Ok(by_workers || can_measure(&services.host, &services.store.hardware(hardware)?))
}
