//! Validating jobs. What they are to measure is chosen once and kept, so that one that was cut off goes on with the same.

use std::sync::Arc;

use lglp_openapi::jobs::{MeasureParameters, ValidateParameters};
use lglp_registry::{Admission, Digest, Error, HardwareName, Job, JobKind, JobState, NewJob, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fleet::Measurer;
use super::plans::KeptPlan;
use super::{JobError, Run, Tools, Work, parse};
use crate::idempotency::own_key;
use crate::measure::{CampaignEvent, Plan, Protocol};
use crate::validate::{Selection, Validating};

/// What is to be measured: a thousand texts are too large for a record that is written every second.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The blob that holds the plan.
    plan: Digest,
}

impl Work for ValidateParameters {
    fn check(&self, hardware: &HardwareName, tools: &Tools) -> Result<()> {
        tools.store.version(hardware, self.version)?;
        let (least, most) = (Selection::LEAST, Selection::MOST);
        if !(least..=most).contains(&self.n) {
            let reason = format!("expected {least} to {most}, got {}", self.n);
            return Err(Error::invalid("parameters.n", reason));
        }
        Protocol::within(self.budget_s).map(drop)
    }

    fn run(&self, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<Value, JobError> {
        let validating = Validating {
            store: &*tools.store,
            host: &tools.host,
            spaces: &tools.spaces,
            serving: &tools.serving,
            hardware: &job.hardware,
            version: self.version,
            selection: Selection {
                method: self.select.into(),
                n: self.n,
                seed: self.seed,
            },
            protocol: Protocol::within(self.budget_s)?,
        };
        let plan = match &job.checkpoint {
            Value::Null => {
                let plan = validating.plan()?;
                let kept = tools.plans.keep(&*tools.store, &plan)?;
                run.checkpoint(&json!(Checkpoint { plan: kept }))?;
                Arc::new(KeptPlan::from(plan))
            }
            kept => {
                let kept = Checkpoint::deserialize(kept).map_err(JobError::Checkpoint)?;
                tools.plans.read(&*tools.store, &kept.plan)?
            }
        };
        let (mut done, of) = (0, plan.architectures.len() as u64);
        let mut progress = |event| match event {
            CampaignEvent::Waiting => run.progress(done, of, "another process measures on the device".into()),
            CampaignEvent::Calibrating { .. } => {}
            CampaignEvent::Resuming { done: before } => {
                done = before as u64;
                run.progress(done, of, format!("{before} measured before"));
            }
            CampaignEvent::Measured { latency_ms, .. } => {
                done += 1;
                run.progress(done, of, format!("{latency_ms:.1} ms"));
            }
        };
        if Measurer::of(&*tools.store, tools.host.machine(), &job.hardware)? == Measurer::Workers {
            measured_by_workers(self, &validating.space()?, &plan, job, tools)?;
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

/// Has workers measure a plan: by a job of their own, which this one waits for, queued.
fn measured_by_workers(
    parameters: &ValidateParameters,
    space: &str,
    plan: &Plan,
    job: &Job,
    tools: &Tools,
) -> std::result::Result<(), JobError> {
    let store = &*tools.store;
    let plan_blob = tools.plans.keep(store, plan)?;
    let measure: MeasureParameters = parse(json!({
        "space": space, "plan": plan_blob, "budget_s": parameters.budget_s,
    }))?;
    let new = NewJob {
        kind: JobKind::Measure,
        hardware: job.hardware.clone(),
        parameters: json!(measure),
        creator: job.created_by.clone(),
        parent: Some(job.id),
    };
    let key = own_key(&format!("job-{}-measuring", job.id));
    let needed = match store.create_job(&new, Some(&key), Admission::Part) {
        Err(Error::JobEnded { .. }) => return Err(JobError::Stopped),
        needed => needed?,
    };
    match needed.state {
        JobState::Succeeded => Ok(()),
        JobState::Queued | JobState::Running => Err(JobError::Waiting),
        state => Err(JobError::Needed {
            job: needed.id,
            state,
            reason: needed.error,
        }),
    }
}
