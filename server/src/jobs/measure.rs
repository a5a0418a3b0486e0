//! Measuring jobs. Here they need no checkpoint: a campaign skips what is measured.

use std::ops::Deref;
use std::sync::Arc;

use lglp_engine::measure::{
    BATCHES, Campaign, CampaignEvent, LEFT_OUT_REASON, LeftOutNetwork, MOST_LEFT_OUT, PLAN_LIMIT, Plan, Protocol,
    Setup, Wanted, admit, admit_batch, largest_architecture,
};
use lglp_engine::networks::check_networks;
use lglp_openapi::jobs::{MEASURE_LIMIT, MeasureParameters};
use lglp_registry::{Digest, Error, HardwareName, HardwareTarget, Job, ONNX, Result};
use lglp_sdk::excerpt::shortened;
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::{Value, json};

use super::measurer::Measurer;
use super::networks::{check_stored, networks_of};
use super::plans::{KeptPlan, bad_plan};
use super::{JobError, Run, Services, Work};

// Whatever a job may ask for, its plan can be read.
const _: () = assert!(MEASURE_LIMIT <= PLAN_LIMIT);

impl Work for MeasureParameters {
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        let plan = given(self, services)?;
        let plan = plan.as_deref().map(Deref::deref);
        let space = match networks_of(self, plan, services)? {
            Some(_) => None,
            None => match services.spaces.get(&self.space) {
                Ok(space) => Some(space),
                Err(unknown) => return refuse("space", unknown.to_string()),
            },
        };
        if let Some(Err(none)) = space.map(|space| check_networks(space)) {
            return refuse("space", none.to_string());
        }
        if let Some(plan) = plan {
            match space {
                Some(space) => architectures_of(plan, space).try_for_each(|read| read.map(drop))?,
                None => check_stored(plan, services)?,
            }
        } else if !(1..=MEASURE_LIMIT).contains(&self.count) {
            return refuse("count", format!("expected 1 to {MEASURE_LIMIT}, got {}", self.count));
        }
        if self.weighted > MEASURE_LIMIT - self.count.min(MEASURE_LIMIT) {
            let (count, weighted) = (self.count, self.weighted);
            return refuse(
                "weighted",
                format!(
                    "one job measures at most {MEASURE_LIMIT} architectures; count asks for {count}, and weighted for {weighted}"
                ),
            );
        }
        if self.weighted > 0 && (self.replicate > 0 || self.plan.is_some()) {
            return refuse(
                "weighted",
                "weighted draws are new architectures: of replicate 0 only, and not beside a plan".into(),
            );
        }
        if let Some(batch) = self.batch_size.filter(|batch| !BATCHES.contains(batch)) {
            return refuse("batch_size", format!("expected 1 to {}, got {batch}", BATCHES.end()));
        }
        Protocol::within(self.budget_s)?;
        admit(&services.host, &setup(self).runtime, &self.settings, "parameters")?;
        let setup = match services.store.hardware(hardware) {
            Ok(target) => {
                agrees(self, &target)?;
                if Measurer::of(&*services.store, services.host.machine(), hardware)? == Measurer::Workers {
                    return Ok(());
                }
                Setup::of_target(&target)
            }
            Err(Error::NotFound { .. }) => setup(self),
            Err(error) => return Err(error),
        };
        let runtime = match services.host.runtime(&setup.runtime, &setup.settings) {
            Ok(runtime) => runtime,
            Err(missing) if services.store.hardware(hardware).is_err() => {
                return refuse("runtime", missing.to_string());
            }
            // Of a target that is there, whoever begins with the job says so.
            Err(_) => return Ok(()),
        };
        // How large a network is that was sent shows when its turn comes.
        let Some(space) = space else { return Ok(()) };
        let largest = largest_architecture(space);
        if let Err(large) = admit_batch(space, &largest, setup.batch, runtime.network_memory()) {
            return refuse("batch_size", large.to_string());
        }
        Ok(())
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        match services.store.hardware(&job.hardware) {
            Ok(target) => agrees(self, &target)?,
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let plan = given(self, services)?;
        let plan = plan.as_deref().map(Deref::deref);
        let networks = networks_of(self, plan, services)?;
        let space = space_of(self, &job.hardware, services)?;
        let chosen: Option<Vec<Architecture>> = match plan.filter(|_| networks.is_none()) {
            Some(plan) => Some(architectures_of(plan, space).collect::<Result<_>>()?),
            None => None,
        };
        let campaign = Campaign {
            store: &*services.store,
            host: &services.host,
            space,
            spaces: &services.spaces,
            hardware: &job.hardware,
            actor: &job.created_by,
            setup: Some(setup(self)),
            protocol: Protocol::within(self.budget_s)?,
            wanted: match &networks {
                Some(networks) => Wanted::Networks {
                    replicate: self.replicate,
                    networks,
                },
                None => wanted(self, chosen.as_deref()),
            },
        };
        let drawn = (self.count + self.weighted) as u64;
        let (mut done, of) = (0, plan.map_or(drawn, |plan| plan.architectures.len() as u64));
        let mut progress = |event| match event {
            CampaignEvent::Waiting => run.progress(done, of, "another process measures on the device".into()),
            CampaignEvent::Calibrating { done, of } => {
                run.progress(done as u64, of as u64, "calibrating the reference network".into());
            }
            CampaignEvent::LeftOut(network) => run.progress(done, of, network.to_string()),
            CampaignEvent::Resuming { done: before } => {
                done = before as u64;
                run.progress(done, of, format!("{before} measured before"));
            }
            CampaignEvent::Measured { latency_ms, half_width } => {
                done += 1;
                run.progress(done, of, format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width));
            }
        };
        let mut summary = campaign.run(&mut progress, &|| run.is_stopped())?;
        let more = summary.left_out.len().saturating_sub(MOST_LEFT_OUT);
        summary.left_out.truncate(MOST_LEFT_OUT);
        for LeftOutNetwork { reason, .. } in &mut summary.left_out {
            *reason = shortened(std::mem::take(reason), LEFT_OUT_REASON);
        }
        if more > 0 {
            summary.left_out.push(LeftOutNetwork {
                name: "...".into(),
                reason: format!("and {more} more"),
            });
        }
        Ok(json!(summary))
    }
}

/// The space of the architectures of a job; of networks of no space, one that a new target may be calibrated by.
///
/// # Errors
/// Where there is none of that name.
pub(super) fn space_of<'a>(
    parameters: &MeasureParameters,
    hardware: &HardwareName,
    services: &'a Services,
) -> std::result::Result<&'a SearchSpace, JobError> {
    match parameters.space == ONNX {
        true => Ok(services.spaces.of_networks(&*services.store, hardware)?),
        false => Ok(services.spaces.get(&parameters.space)?),
    }
}

/// How a target that is not there yet is to measure.
pub(super) fn setup(parameters: &MeasureParameters) -> Setup {
    let default = Setup::default();
    Setup {
        runtime: parameters.runtime.clone().unwrap_or(default.runtime),
        settings: parameters.settings.clone(),
        batch: parameters.batch_size.unwrap_or(default.batch),
        configured: false,
    }
}

/// Checks that a job asks of a target that is there what the target has: nothing else would be measured.
///
/// # Errors
/// `Invalid`, naming the parameter and what the target has.
pub(super) fn agrees(parameters: &MeasureParameters, target: &HardwareTarget) -> Result<()> {
    let there = Setup::of_target(target);
    let differs = |field: String, has: String| {
        let name = &target.name;
        let reason = format!("{name} has {has}; leave it out, or measure under another name, e.g. {name}-2");
        Err(Error::invalid(format!("parameters.{field}"), reason))
    };
    if parameters
        .runtime
        .as_ref()
        .is_some_and(|runtime| *runtime != there.runtime)
    {
        return differs("runtime".into(), there.runtime);
    }
    for (name, value) in &parameters.settings {
        match there.settings.get(name) {
            Some(has) if has == value => {}
            Some(has) => return differs(format!("settings.{name}"), has.to_string()),
            None => return differs(format!("settings.{name}"), "what the runtime has by itself".into()),
        }
    }
    match parameters.batch_size {
        Some(batch) if batch != there.batch => differs("batch_size".into(), there.batch.to_string()),
        _ => Ok(()),
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
pub(super) fn given(parameters: &MeasureParameters, services: &Services) -> Result<Option<Arc<KeptPlan>>> {
    let Some(plan) = &parameters.plan else { return Ok(None) };
    let digest: Digest = plan.parse().map_err(|e: Error| bad_plan(e.to_string()))?;
    let plan = match services.plans.read(&*services.store, &digest) {
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
        replicate,
        seed,
        count,
        weighted,
        ..
    } = parameters;
    match (chosen, replicate) {
        (Some(architectures), _) => Wanted::These {
            replicate,
            architectures,
        },
        (None, 0) => Wanted::Fresh {
            seed,
            uniform: count,
            weighted,
        },
        (None, _) => Wanted::Again { replicate, count },
    }
}
