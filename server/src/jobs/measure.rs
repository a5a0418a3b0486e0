//! Measuring jobs. Here they need no checkpoint: a campaign skips what is measured.

use std::sync::Arc;

use lglp_openapi::jobs::{MEASURE_LIMIT, MeasureParameters};
use lglp_registry::{Digest, Error, HardwareName, Job, Result};
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::{Value, json};

use super::plans::bad_plan;
use super::{JobError, Run, Tools, Work};
use crate::measure::{BATCHES, Campaign, CampaignEvent, Plan, Protocol, Setup, Wanted, admit};

impl Work for MeasureParameters {
    fn check(&self, hardware: &HardwareName, tools: &Tools) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        let space = match tools.spaces.get(&self.space) {
            Ok(space) => space,
            Err(unknown) => return refuse("space", unknown.to_string()),
        };
        if let Some(plan) = given(self, tools)? {
            architectures_of(&plan, space).try_for_each(|read| read.map(drop))?;
        } else if !(1..=MEASURE_LIMIT).contains(&self.count) {
            return refuse("count", format!("expected 1 to {MEASURE_LIMIT}, got {}", self.count));
        }
        if self.weighted > MEASURE_LIMIT - self.count.min(MEASURE_LIMIT) {
            let (count, weighted) = (self.count, self.weighted);
            return refuse(
                "weighted",
                format!(
                    "one job measures at most {MEASURE_LIMIT} architectures; count is {count}, and weighted {weighted}"
                ),
            );
        }
        if self.weighted > 0 && (self.round > 0 || self.plan.is_some()) {
            return refuse(
                "weighted",
                "weighted draws are new architectures: of round 0 only, and not beside a plan".into(),
            );
        }
        if !BATCHES.contains(&self.batch_size) {
            return refuse(
                "batch_size",
                format!("expected 1 to {}, got {}", BATCHES.end(), self.batch_size),
            );
        }
        Protocol::within(self.budget_s)?;
        admit(&tools.host, &self.runtime, &self.settings, "parameters")?;
        let is_new = matches!(tools.store.hardware(hardware), Err(Error::NotFound { .. }));
        if is_new && let Err(missing) = tools.host.runtime(&self.runtime, &self.settings) {
            return refuse("runtime", missing.to_string());
        }
        Ok(())
    }

    fn run(&self, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<Value, JobError> {
        let space = tools.spaces.get(&self.space)?;
        let chosen: Option<Vec<Architecture>> = match given(self, tools)? {
            Some(plan) => Some(architectures_of(&plan, space).collect::<Result<_>>()?),
            None => None,
        };
        let campaign = Campaign {
            store: &*tools.store,
            host: &tools.host,
            space,
            spaces: &tools.spaces,
            hardware: &job.hardware,
            actor: &job.created_by,
            setup: Some(Setup {
                runtime: self.runtime.clone(),
                settings: self.settings.clone(),
                batch: self.batch_size,
                configured: false,
            }),
            protocol: Protocol::within(self.budget_s)?,
            wanted: wanted(self, chosen.as_deref()),
        };
        let drawn = (self.count + self.weighted) as u64;
        let (mut done, of) = (0, chosen.as_ref().map_or(drawn, |chosen| chosen.len() as u64));
        let mut progress = |event| match event {
            CampaignEvent::Waiting => run.progress(done, of, "another process measures on the device".into()),
            CampaignEvent::Calibrating { done, of } => {
                run.progress(done as u64, of as u64, "calibrating the reference network".into());
            }
            CampaignEvent::Resuming { done: before } => {
                done = before as u64;
                run.progress(done, of, format!("{before} measured before"));
            }
            CampaignEvent::Measured { latency_ms, half_width } => {
                done += 1;
                run.progress(done, of, format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width));
            }
        };
        let summary = campaign.run(&mut progress, &|| run.is_stopped())?;
        Ok(json!(summary))
    }
}

/// The architectures of a plan, in its order, each once it is asked for.
///
/// # Errors
/// `Invalid` for a text that is none.
pub(super) fn architectures_of<'a>(
    plan: &'a Plan,
    space: &'a SearchSpace,
) -> impl Iterator<Item = Result<Architecture>> + 'a {
    let read = |(at, text): (usize, &String)| {
        let architecture = space.architecture_from_text(text);
        architecture.map_err(|e| bad_plan(format!("architecture {at}: {e}")))
    };
    plan.architectures.iter().enumerate().map(read)
}

/// The plan that a job is given, if it is given one.
///
/// # Errors
/// `Invalid` for one that cannot be read.
pub(super) fn given(parameters: &MeasureParameters, tools: &Tools) -> Result<Option<Arc<Plan>>> {
    let Some(plan) = &parameters.plan else { return Ok(None) };
    let digest: Digest = plan.parse().map_err(|e: Error| bad_plan(e.to_string()))?;
    let plan = match tools.plans.read(&*tools.store, &digest) {
        Err(Error::NotFound { .. }) => {
            let reason = format!("there is no blob {digest}; store the plan first: POST /v1/blobs");
            return Err(bad_plan(reason));
        }
        plan => plan?,
    };
    let (count, flags) = (plan.architectures.len(), plan.flags.len());
    if count == 0 {
        return Err(bad_plan("it names no architecture"));
    }
    if flags != 0 && flags != count {
        return Err(bad_plan(format!("it has flags for {flags} of {count} architectures")));
    }
    Ok(Some(plan))
}

/// What a job measures.
pub(super) fn wanted<'a>(parameters: &MeasureParameters, chosen: Option<&'a [Architecture]>) -> Wanted<'a> {
    let &MeasureParameters {
        round,
        seed,
        count,
        weighted,
        ..
    } = parameters;
    match (chosen, round) {
        (Some(architectures), _) => Wanted::These { round, architectures },
        (None, 0) => Wanted::Fresh {
            seed,
            uniform: count,
            weighted,
        },
        (None, _) => Wanted::Again { round, count },
    }
}
