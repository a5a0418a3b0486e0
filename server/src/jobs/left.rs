//! What a job for workers measures, and what of it is left.

use std::collections::BTreeSet;
use std::sync::Arc;

use lglp_engine::measure::{LEFT_OUT_REASON, MOST_LEFT_OUT, Plan};
use lglp_openapi::jobs::MeasureParameters;
use lglp_openapi::workers::{BatchItem, LeftOut};
use lglp_registry::{Digest, Error, HardwareName, Job, Result};
use lglp_sdk::SearchSpace;
use lglp_sdk::excerpt::shortened;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::measure::{architectures_of, given, wanted};
use super::networks::networks_of;
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
    /// The part of the plan that stands at some places.
    pub(super) fn part(&self, places: &[usize]) -> Plan {
        let texts = |all: &[String]| places.iter().filter_map(|at| all.get(*at).cloned()).collect();
        Plan {
            architectures: texts(&self.plan.architectures),
            names: texts(&self.plan.names),
            flags: places.iter().map(|at| self.plan.flags(*at)).collect(),
        }
    }

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
            name: self.plan.names.get(at).cloned(),
            flags: self.plan.flags(at),
        }
    }
}

/// What a job measures, kept when a worker first gets it: another one, or another server, goes on with the same.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The blob that holds the plan.
    pub plan: Digest,
    /// Networks that cannot be measured on the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

impl Checkpoint {
    /// What a worker that began with a job has kept.
    ///
    /// # Errors
    /// `Checkpoint`.
    pub(super) fn of(job: &Job) -> Result<Self, JobError> {
        Self::deserialize(&job.checkpoint).map_err(JobError::Checkpoint)
    }

    /// Leaves some more networks of a plan out.
    ///
    /// # Errors
    /// `Invalid` for what is not of the plan, and where these are more than a job may leave out.
    pub(super) fn leave_out(&mut self, more: Vec<LeftOut>, plan: &KeptPlan) -> Result<()> {
        for (at, LeftOut { architecture, reason }) in more.into_iter().enumerate() {
            if !plan.architectures.contains(&architecture) {
                let field = format!("left_out.{at}.architecture");
                return Err(Error::invalid(field, "the job measures no such network"));
            }
            if !self.left_out.iter().any(|known| known.architecture == architecture) {
                let reason = shortened(reason, LEFT_OUT_REASON);
                self.left_out.push(LeftOut { architecture, reason });
            }
        }
        let count = self.left_out.len();
        if count > MOST_LEFT_OUT {
            let rule = format!("{count} of its networks; a job that leaves out more than {MOST_LEFT_OUT} has failed");
            return Err(Error::invalid("left_out", rule));
        }
        Ok(())
    }
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
    let mut done = store.measured_digests(&job.hardware, &parameters.space, parameters.replicate)?;
    let left_out = Checkpoint::of(job)?.left_out.into_iter();
    done.extend(left_out.map(|one| Digest::of(one.architecture.as_bytes())));
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
        // By the texts that measurements are found by, each once.
        let mut seen = BTreeSet::new();
        let mut each_once = Plan::default();
        let mut add = |at: usize, text: String| {
            if seen.insert(text.clone()) {
                each_once.architectures.push(text);
                each_once.names.extend(plan.names.get(at).cloned());
                each_once.flags.push(plan.flags(at));
            }
        };
        match networks_of(parameters, Some(&plan), services)? {
            Some(networks) => networks.iter().enumerate().for_each(|(at, one)| add(at, one.text())),
            None => {
                for (at, architecture) in architectures_of(&plan, space).enumerate() {
                    add(at, space.canonical_text(&architecture?));
                }
            }
        }
        return Ok(each_once);
    }
    let planned = wanted(parameters, None).candidates(&*services.store, hardware, space)?;
    let texts = planned.into_iter().map(|one| (one.subject.text(space), one.flags));
    let (architectures, flags) = texts.unzip();
    Ok(Plan {
        architectures,
        flags,
        ..Plan::default()
    })
}

/// The plan that a job keeps.
pub(super) fn kept(services: &Services, job: &Job) -> Result<Arc<KeptPlan>, JobError> {
    Ok(services.plans.read(&*services.store, &Checkpoint::of(job)?.plan)?)
}
