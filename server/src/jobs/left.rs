//! What a job for workers measures, and what of it is left.

use std::collections::BTreeSet;
use std::sync::Arc;

use lglp_engine::measure::Plan;
use lglp_openapi::jobs::MeasureParameters;
use lglp_openapi::workers::BatchItem;
use lglp_registry::{Digest, HardwareName, Job, Result};
use lglp_sdk::SearchSpace;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::measure::{architectures_of, given, wanted};
use super::plans::KeptPlan;
use super::queue::Queue;
use super::task::parse;
use super::{JobError, Services};

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

/// What of a job is not measured yet.
pub(super) fn left(queue: &Queue, job: &Job, parameters: &MeasureParameters) -> Result<Left, JobError> {
    let (store, services) = (queue.store(), queue.services());
    let mut elsewhere = BTreeSet::new();
    for part in queue.parts(job)? {
        let plan = match part.checkpoint {
            Value::Null => given(&parse(part.parameters)?, services)?,
            _ => Some(kept(services, &part)?),
        };
        elsewhere.extend(plan.iter().flat_map(|plan| plan.digests()).cloned());
    }
    // Read last, so that it is the one that the next call finds in memory.
    let plan = kept(services, job)?;
    let done = store.measured_digests(&job.hardware, &parameters.space, parameters.replicate)?;
    let places = 0..plan.architectures.len();
    Ok(Left {
        places: places.filter(|at| !done.contains(&plan.digests()[*at])).collect(),
        plan,
        elsewhere,
    })
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
    let planned = wanted(parameters, None).candidates(&*services.store, hardware, space)?;
    let texts = planned.into_iter().map(|one| (one.subject.text(space), one.flags));
    let (architectures, flags) = texts.unzip();
    Ok(Plan { architectures, flags })
}

/// The plan that a job keeps.
fn kept(services: &Services, job: &Job) -> Result<Arc<KeptPlan>, JobError> {
    let kept = Checkpoint::deserialize(&job.checkpoint).map_err(JobError::Checkpoint)?;
    Ok(services.plans.read(&*services.store, &kept.plan)?)
}
