//! `/v1/jobs/{id}/...`: what workers tell of the jobs that they have leased. All of it carries the lease's fencing token.

use actix_web::web::Json;
use actix_web::{post, web};
use lglp_openapi::jobs::Job;
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, LeaseOver, NoSuchJob};
use lglp_openapi::workers::{Accepted, AskForBatch, Batch, Finish, Heartbeat, Release, SubmitMeasurements};
use lglp_registry::{Error, Job as Stored, LeaseHolder, Measurement, SignOfLife, WorkerName};
use lglp_sdk::excerpt::{MESSAGE, shortened};

use super::State;
use super::body::MEASUREMENTS;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::heavy::heavy;
use super::measurements::admit_all;
use super::problem::ApiError;
use super::words::Path;
use crate::jobs::IN_HAND;
use crate::workers::{corrected, skew};

/// Measurements that may come at a time.
const SUBMIT_LIMIT: usize = 256;

/// Renews a lease. The answer says whether the job is to be cancelled: then it is to be released.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    request_body = Heartbeat,
    responses(
        (status = 200, body = Job, description = "The job"),
        NoSuchJob,
        LeaseOver,
    )
)]
#[post("/v1/jobs/{id}/heartbeat")]
pub(crate) async fn heartbeat_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
    Body(body): Body<Heartbeat>,
) -> Result<Json<Job>, ApiError> {
    let skew = skew(&body.sent_at)?;
    let job = blocking(move || {
        admit(&state, id, body.fencing, &caller)?;
        let job = state.jobs.leasing.heartbeat(id, body.fencing, body.progress.as_ref())?;
        see_holder(&state, &job, skew);
        Ok::<_, ApiError>(job)
    })
    .await?;
    Ok(Json(Job::of_holder(job)))
}

/// The next architectures of a job. Asking renews the lease.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    request_body = AskForBatch,
    responses(
        (status = 200, body = Batch, description = "What is not measured yet, as far as it was asked for"),
        NoSuchJob,
        LeaseOver,
    )
)]
#[post("/v1/jobs/{id}/batch")]
pub(crate) async fn next_batch(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
    Body(body): Body<AskForBatch>,
) -> Result<Json<Batch>, ApiError> {
    // All that a job measures is looked through for what is left.
    let asking = caller.clone();
    let batch = heavy(&state, &caller, move |state| {
        admit(state, id, body.fencing, &asking)?;
        let limit = body.limit.clamp(1, IN_HAND);
        let left_out = body.left_out;
        Ok::<_, ApiError>(state.jobs.leasing.batch(id, body.fencing, limit, left_out)?)
    })
    .await?;
    Ok(Json(batch))
}

/// Records measurements of a job, durably. Of each architecture the first one stays; sending one again changes nothing. Where
/// the worker's clock is off, its times are corrected.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    request_body = SubmitMeasurements,
    responses(
        (status = 200, body = Accepted, description = "How many were recorded, and how many were known"),
        NoSuchJob,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease is over: nothing was recorded"),
        Invalid,
    )
)]
#[post("/v1/jobs/{id}/measurements")]
pub(crate) async fn submit_measurements(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
    Body(mut body): Body<SubmitMeasurements, MEASUREMENTS>,
) -> Result<Json<Accepted>, ApiError> {
    let skew = skew(&body.sent_at)?;
    if body.measurements.len() > SUBMIT_LIMIT {
        let reason = format!("expected at most {SUBMIT_LIMIT}, got {}", body.measurements.len());
        return Err(Error::invalid("measurements", reason).into());
    }
    admit_all(&state.spaces, "/measurements", &mut body.measurements)?;
    // What networks compute is read from their models.
    let asking = caller.clone();
    let counts = heavy(&state, &caller, move |state| {
        let worker = admit(state, id, body.fencing, &asking)?;
        let corrected = body.measurements.into_iter().map(|measurement| Measurement {
            worker: Some(worker.to_string()),
            measured_at: corrected(&measurement.measured_at, skew),
            ..measurement
        });
        let measurements: Vec<Measurement> = corrected.collect();
        let counts = state
            .jobs
            .leasing
            .record(id, body.fencing, &measurements, &asking.name)?;
        Ok::<_, ApiError>(Accepted {
            accepted: counts.accepted,
            known: counts.known,
        })
    })
    .await?;
    Ok(Json(counts))
}

/// Ends a job: well where every architecture is measured, else with the reason why it failed.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    request_body = Finish,
    responses(
        (status = 200, body = Job, description = "The job: it has ended, or is queued again where it waits for what another job measures"),
        NoSuchJob,
        LeaseOver,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Something is not measured yet"),
    )
)]
#[post("/v1/jobs/{id}/finish")]
pub(crate) async fn finish_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
    Body(body): Body<Finish>,
) -> Result<Json<Job>, ApiError> {
    let job = blocking(move || {
        admit(&state, id, body.fencing, &caller)?;
        // What a worker's runtime said may be of any length; that the job failed is recorded all the same.
        let failed = body.failed.map(|why| shortened(why, MESSAGE));
        Ok::<_, ApiError>(state.jobs.leasing.finish(id, body.fencing, failed)?)
    })
    .await?;
    Ok(Json(Job::of_holder(job)))
}

/// Gives a job back unfinished: it is queued again, or cancelled where somebody wanted that.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    request_body = Release,
    responses(
        (status = 200, body = Job, description = "The job"),
        NoSuchJob,
        LeaseOver,
    )
)]
#[post("/v1/jobs/{id}/release")]
pub(crate) async fn release_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
    Body(body): Body<Release>,
) -> Result<Json<Job>, ApiError> {
    let job = blocking(move || {
        admit(&state, id, body.fencing, &caller)?;
        Ok::<_, ApiError>(state.jobs.leasing.release(id, body.fencing)?)
    })
    .await?;
    Ok(Json(Job::of_holder(job)))
}

/// A token that is confined to some hardware targets speaks of their jobs alone, and for the workers alone that it registered;
/// and nobody speaks for the server, which works on jobs itself. The worker that holds the job.
fn admit(state: &State, id: u64, fencing: u64, caller: &Caller) -> Result<WorkerName, ApiError> {
    let job = state.store.job(id)?;
    caller.may_use(&job.hardware)?;
    if let Some((name, instance)) = holder(&job) {
        let worker = state.store.worker(name)?;
        if worker.instance == instance && worker.difference.is_none() && caller.speaks_for(&worker) {
            return Ok(worker.name);
        }
    }
    Err(Error::StaleLease { job: id, fencing }.into())
}

/// The worker that holds a job, and its process.
fn holder(job: &Stored) -> Option<(&WorkerName, &str)> {
    match &job.lease.as_ref()?.holder {
        LeaseHolder::Worker { name, instance } => Some((name, instance.as_deref()?)),
        LeaseHolder::Server => None,
    }
}

/// Notes that the worker which holds a job was heard of. That it has lost its place meanwhile, its next call for work tells it.
fn see_holder(state: &State, job: &Stored, skew_s: f64) {
    let Some((name, instance)) = holder(job) else { return };
    let sign = SignOfLife {
        clock_skew_s: Some(skew_s),
        ..SignOfLife::default()
    };
    if let Err(error) = state.store.see_worker(name, instance, sign) {
        tracing::debug!(worker = %name, "{error}");
    }
}
