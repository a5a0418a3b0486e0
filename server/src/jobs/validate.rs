//! Validating jobs. What they are to measure is chosen once and kept, so that one that was cut off goes on with the same.

use std::sync::Arc;

use lglp_engine::measure::{CampaignEvent, Protocol};
use lglp_engine::validate::{Method, Rows, Selection, Validating, can_measure};
use lglp_openapi::jobs::{SelectionMethod, ValidateParameters, ValidationRows};
use lglp_registry::{Digest, Error, HardwareName, Job, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_workers::Needed;
use super::measurer::Measurer;
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
        Protocol::within(self.budget_s).map(drop)
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        let mut validating = Validating {
            store: &*services.store,
            host: &services.host,
            spaces: &services.spaces,
            versions: &*services.serving,
            hardware: &job.hardware,
            version: self.version,
            selection: selection(self),
            protocol: Protocol::within(self.budget_s)?,
        };
        let plan = match &job.checkpoint {
            Value::Null => {
                if self.on.is_none() {
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
            let needed = Needed {
                job,
                space: &validating.space()?,
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
