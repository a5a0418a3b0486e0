//! What of a job is left to measure, and how workers of one hardware target share a long one: the second half of what is left
//! becomes a job of its own, which the first one waits for in the end.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use lglp_engine::measure::Plan;
use lglp_openapi::jobs::MeasureParameters;
use lglp_openapi::workers::BatchItem;
use lglp_registry::{
    Admission, Digest, HardwareName, Job, JobKind, JobState, Lease, LeaseHolder, NewJob, Result, Worker,
};
use lglp_sdk::SearchSpace;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::leasing::Leasing;
use super::measure::{architectures_of, given, wanted};
use super::plans::KeptPlan;
use super::task::parse;
use super::{JobError, Services};

/// Architectures of a job that a worker has in hand at most: these stay with it when the job is shared.
pub(crate) const IN_HAND: usize = 128;

/// Architectures beyond these that are worth a job of their own.
const LEAST_SHARE: usize = 32;

/// What of a job is not measured yet.
pub(super) struct Left {
    /// Of the whole job.
    plan: Arc<KeptPlan>,
    /// Where in the plan it stands.
    places: Vec<usize>,
    /// What other jobs measure for it.
    elsewhere: BTreeSet<Digest>,
}

impl Left {
    /// Architectures of the whole job.
    pub(super) fn total(&self) -> usize {
        self.plan.architectures.len()
    }

    /// How many are left, those that other jobs measure among them.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// Places of what no other job measures for it.
    pub(super) fn own(&self) -> impl Iterator<Item = usize> {
        let places = self.places.iter().copied();
        places.filter(|at| !self.elsewhere.contains(&self.plan.digests()[*at]))
    }

    /// What stands at a place of the plan.
    pub(super) fn item(&self, at: usize) -> BatchItem {
        BatchItem {
            architecture: self.plan.architectures[at].clone(),
            flags: self.plan.flags(at),
        }
    }
}

/// What a job measures, kept when a worker first gets it: another one, or another server, goes on with the same.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The blob that holds the plan.
    pub plan: Digest,
}

impl Leasing {
    /// What of a job is not measured yet.
    pub(super) fn left(&self, job: &Job, parameters: &MeasureParameters) -> Result<Left, JobError> {
        let store = self.store();
        let mut elsewhere = BTreeSet::new();
        for part in self.queue().parts(job)? {
            let plan = match part.checkpoint {
                Value::Null => given(&parse(part.parameters)?, self.services())?,
                _ => Some(kept(self.services(), &part)?),
            };
            elsewhere.extend(plan.iter().flat_map(|plan| plan.digests()).cloned());
        }
        // Read last, so that it is the one that the next call finds in memory.
        let plan = kept(self.services(), job)?;
        let done = store.measured_digests(&job.hardware, &parameters.space, parameters.round)?;
        let places = 0..plan.architectures.len();
        Ok(Left {
            places: places.filter(|at| !done.contains(&plan.digests()[*at])).collect(),
            plan,
            elsewhere,
        })
    }

    /// Makes a job of the second half of what is left of one that another worker has, for a worker without work: two machines
    /// of a target share a long job. What the other one may have in hand already stays with it.
    pub(super) fn share(&self, worker: &Worker) -> Result<bool, JobError> {
        // Two at once would share the same half.
        let _turn = self.sharing.lock().unwrap_or_else(PoisonError::into_inner);
        for job in self
            .queue()
            .jobs_of(&worker.hardware, JobState::Running)?
            .into_iter()
            .rev()
        {
            let by_another =
                |lease: &Lease| matches!(&lease.holder, LeaseHolder::Worker { name, .. } if *name != worker.name);
            if job.kind != JobKind::Measure
                || !job.lease.as_ref().is_some_and(by_another)
                || job.checkpoint.is_null()
                || job.cancel_requested
            {
                continue;
            }
            let parameters: MeasureParameters = parse(job.parameters.clone())?;
            let left = match self.left(&job, &parameters) {
                Ok(left) => left,
                Err(error) => {
                    tracing::error!(job = job.id, "cannot be shared: {error}");
                    continue;
                }
            };
            let mut own: Vec<usize> = left.own().collect();
            let Some(spare) = own.len().checked_sub(IN_HAND).filter(|spare| *spare >= LEAST_SHARE) else {
                continue;
            };
            let part = own.split_off(own.len() - spare.div_ceil(2)).into_iter();
            let (architectures, flags) = part
                .map(|at| left.item(at))
                .map(|item| (item.architecture, item.flags))
                .unzip();
            let plan = Plan { architectures, flags };
            let plan = self.services().plans.keep(self.store(), &plan)?;
            let parameters = MeasureParameters {
                plan: Some(plan.to_string()),
                count: 0,
                weighted: 0,
                ..parameters
            };
            let new = NewJob {
                kind: JobKind::Measure,
                hardware: job.hardware,
                parameters: json!(parameters),
                creator: job.created_by,
                parent: Some(job.id),
            };
            let part = self.store().create_job(&new, None, Admission::Part)?;
            tracing::info!(job = part.id, of = job.id, worker = %worker.name, "shares");
            return Ok(true);
        }
        Ok(false)
    }
}

/// What a job measures.
pub(super) fn planned(
    parameters: &MeasureParameters,
    services: &Services,
    hardware: &HardwareName,
    space: &SearchSpace,
) -> Result<Plan, JobError> {
    if let Some(plan) = given(parameters, services)? {
        // By their canonical texts, each once: by these measurements are found.
        let mut seen = BTreeSet::new();
        let (mut architectures, mut flags) = (Vec::new(), Vec::new());
        for (at, architecture) in architectures_of(&plan, space).enumerate() {
            let text = space.canonical_text(&architecture?);
            if seen.insert(text.clone()) {
                architectures.push(text);
                flags.push(plan.flags(at));
            }
        }
        return Ok(Plan { architectures, flags });
    }
    let planned = wanted(parameters, None).architectures(&*services.store, hardware, space)?;
    let texts = planned
        .into_iter()
        .map(|(draw, a)| (space.canonical_text(&a), draw.flags()));
    let (architectures, flags) = texts.unzip();
    Ok(Plan { architectures, flags })
}

/// The plan that a job keeps.
fn kept(services: &Services, job: &Job) -> Result<Arc<KeptPlan>, JobError> {
    let kept = Checkpoint::deserialize(&job.checkpoint).map_err(JobError::Checkpoint)?;
    Ok(services.plans.read(&*services.store, &kept.plan)?)
}
