//! Jobs that need workers to measure for them: by a measuring job of its own, which they wait for, queued.

use lglp_engine::measure::Plan;
use lglp_openapi::jobs::MeasureParameters;
use lglp_registry::{Admission, Error, Job, JobKind, JobState, NewJob};
use serde_json::json;

use super::task::parse;
use super::{JobError, Services};
use crate::idempotency::own_key;

/// What workers are to measure for a job.
pub(super) struct Needed<'a> {
    pub job: &'a Job,
    pub space: &'a str,
    pub budget_s: Option<f64>,
    pub plan: &'a Plan,
    /// Tells what the job needs from what it needed before.
    pub part: &'a str,
}

impl Needed<'_> {
    /// Has it measured, once, however often it is asked for.
    ///
    /// # Errors
    /// `Waiting` until it is; `Needed` where it came to nothing.
    pub(super) fn measured(&self, services: &Services) -> Result<(), JobError> {
        let (job, store) = (self.job, &*services.store);
        let plan = services.plans.keep(store, self.plan)?;
        let measure: MeasureParameters = parse(json!({
            "space": self.space, "plan": plan, "budget_s": self.budget_s,
        }))?;
        let new = NewJob {
            kind: JobKind::Measure,
            hardware: job.hardware.clone(),
            parameters: json!(measure),
            creator: job.created_by.clone(),
            parent: Some(job.id),
        };
        let key = own_key(&format!("job-{}-{}", job.id, self.part));
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
}
