//! What a worker may label: what its job measures, or one of the jobs before it, whose measurements it may still have had.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use lglp_openapi::jobs::MeasureParameters;
use lglp_registry::{Digest, Error, Job, JobFilter, JobKind, Measurement, Result};

use super::left::kept;
use super::plans::KeptPlan;
use super::task::parse;
use super::{JobError, Services};

/// Jobs before it that are looked at.
const EARLIER: usize = 64;

/// What the plan calls each of some measurements; none where they are of architectures.
///
/// # Errors
/// `Invalid` for one of what none of these jobs measures.
pub(super) fn names_in_plan(
    job: &Job,
    parameters: &MeasureParameters,
    measured: &[Measurement],
    services: &Services,
) -> std::result::Result<Vec<Option<String>>, JobError> {
    let mut names: Vec<Option<Option<String>>> = vec![None; measured.len()];
    look_up(measured, &*kept(services, job)?, &mut names);
    if names.iter().any(Option::is_none) {
        for other in earlier(job, parameters, services)? {
            look_up(measured, &*kept(services, &other)?, &mut names);
            if names.iter().all(Option::is_some) {
                break;
            }
        }
    }
    let known = names.into_iter().enumerate().map(|(at, name)| {
        let field = format!("measurements.{at}.architecture");
        name.ok_or_else(|| Error::invalid(field, "the job does not measure it"))
    });
    Ok(known.collect::<Result<_>>()?)
}

fn look_up(measured: &[Measurement], plan: &KeptPlan, names: &mut [Option<Option<String>>]) {
    let wanted: HashSet<&Digest> = measured.iter().map(|one| &one.digest).collect();
    let places = plan.digests().iter().enumerate();
    let places: HashMap<&Digest, usize> = places
        .filter(|(_, digest)| wanted.contains(digest))
        .map(|(place, digest)| (digest, place))
        .collect();
    for (name, one) in names.iter_mut().zip(measured) {
        if let (None, Some(place)) = (&name, places.get(&one.digest)) {
            *name = Some(plan.names.get(*place).cloned());
        }
    }
}

/// Measuring jobs of the same target, space and replicate that a worker had before, newest first.
fn earlier(job: &Job, parameters: &MeasureParameters, services: &Services) -> std::result::Result<Vec<Job>, JobError> {
    let of_target = JobFilter {
        hardware: Some(job.hardware.clone()),
        state: None,
    };
    let mut found = Vec::new();
    let _ = services.store.visit_jobs(&of_target, &mut |other| {
        let is_alike = |other: &Job| {
            let own: Result<MeasureParameters> = parse(other.parameters.clone());
            own.is_ok_and(|own| own.space == parameters.space && own.replicate == parameters.replicate)
        };
        let was_begun = other.kind == JobKind::Measure && other.id != job.id && !other.checkpoint.is_null();
        if was_begun && is_alike(&other) {
            found.push(other);
        }
        match found.len() < EARLIER {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(found)
}
