//! `/v1/jobs` and `/v1/{hardware}/jobs`: long work in the background.

use std::ops::ControlFlow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use futures_util::stream::unfold;
use lglp_openapi::jobs::{Job, JobEvent, JobKind, JobList, JobState, SubmitJob};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchHardware, NoSuchJob};
use lglp_registry::{HardwareName, Job as StoredJob, JobFilter, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::heavy::heavy;
use super::preconditions::idempotency_key;
use super::problem::ApiError;
use super::words::{Path, Query};
use crate::jobs::Listener;

/// Silence after which a comment is sent, so that nobody on the way takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Puts a job into the queue. It is begun when those before it have ended.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["operator"])),
    params(
        ("hardware" = String, Path, description = "Hardware target; measuring and onboarding create it where there is none"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and job give the same job again"),
    ),
    request_body = SubmitJob,
    responses(
        (status = 202, body = Job, description = "The job, at the address in `Location`"),
        NoSuchHardware,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The key was used for another job"),
        Invalid,
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many jobs wait, or too many of the caller's"),
    )
)]
#[post("/v1/{hardware}/jobs")]
pub(crate) async fn submit_job(
    state: web::Data<State>,
    hardware: web::Path<String>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<SubmitJob>,
) -> Result<Answer<Job>, ApiError> {
    let mut parameters = body.parameters;
    if body.kind == JobKind::Onboard {
        confine(&mut parameters, &caller)?;
    }
    let new = NewJob {
        kind: body.kind,
        hardware: hardware_name(&hardware)?,
        parameters,
        creator: caller.name.clone(),
        parent: None,
    };
    submit(state, new, idempotency_key(&request)?, &caller).await
}

/// Lets only targets teach an onboarding that the caller may use: what it learns from them shows in its version.
fn confine(parameters: &mut Value, caller: &Caller) -> Result<(), ApiError> {
    if caller.hardware.is_empty() {
        return Ok(());
    }
    if parameters.is_null() {
        *parameters = Value::Object(serde_json::Map::new());
    }
    // What is no object, and no name, is refused with the other parameters.
    let Some(parameters) = parameters.as_object_mut() else {
        return Ok(());
    };
    match parameters.get("sources") {
        None | Some(Value::Null) => {
            parameters.insert("sources".into(), serde_json::json!(caller.hardware));
            Ok(())
        }
        Some(named) => {
            let names = named.as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut names = names.filter_map(|name| name.parse::<HardwareName>().ok());
            names.try_for_each(|name| caller.may_use(&name))
        }
    }
}

/// Puts a job into the queue, and says where it can be looked at.
pub(super) async fn submit(
    state: web::Data<State>,
    new: NewJob,
    key: Option<String>,
    caller: &Caller,
) -> Result<Answer<Job>, ApiError> {
    let names_plan = new.parameters.get("plan").is_some_and(|plan| !plan.is_null());
    let takes_long = names_plan || new.kind == JobKind::Onboard;
    let role = caller.role;
    let submit = move |state: &State| shown(state, state.jobs.queue.submit(new, key.as_deref(), role)?);
    let job = if takes_long {
        // A plan is read, and each of its architectures is checked; a recipe is tried that is to onboard.
        heavy(&state, caller, submit).await?
    } else {
        let state = state.clone();
        blocking(move || submit(&state)).await?
    };
    // Relative to `/v1/{hardware}/…`, so that it holds behind a prefix of paths, too.
    let place = HeaderValue::try_from(format!("../jobs/{}", job.id)).expect("a number is a header's value");
    Ok(Answer::new(StatusCode::ACCEPTED, &job).with_header(LOCATION, place))
}

/// A job with what it waits for.
fn shown(state: &State, job: StoredJob) -> lglp_registry::Result<Job> {
    let waits_for = state.jobs.queue.waits_for(&job)?;
    Ok(Job {
        waits_for,
        ..Job::of_public(job)
    })
}

/// Which jobs to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Selection {
    /// Only those of this hardware target.
    #[param(value_type = Option<String>)]
    hardware: Option<HardwareName>,
    /// Only those in this state.
    state: Option<JobState>,
    /// Jobs at most.
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    50
}

/// Bytes of a list at most, before the last job of it.
const MOST_BYTES: usize = 8 << 20;

/// A [`JobList`] whose jobs were written already, each once, to be counted.
#[derive(Serialize)]
struct Listed {
    jobs: Vec<Box<RawValue>>,
}

fn raw(job: &Job) -> Result<Box<RawValue>, ApiError> {
    to_raw_value(job).map_err(|e| ApiError::internal(e.to_string()))
}

/// Jobs, newest first; fewer than asked for where they are large.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(Selection),
    responses(
        (status = 200, body = JobList, description = "Jobs, newest first"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "There is no such state"),
    )
)]
#[get("/v1/jobs")]
pub(crate) async fn list_jobs(
    state: web::Data<State>,
    selection: Query<Selection>,
    caller: Caller,
) -> Result<Answer<JobList>, ApiError> {
    let Selection {
        hardware,
        state: in_state,
        limit,
    } = selection.into_inner();
    let filter = JobFilter {
        hardware,
        state: in_state,
    };
    let sees = caller.clone();
    let list = heavy(&state, &caller, move |state| -> Result<_, ApiError> {
        let (mut jobs, mut bytes, mut failed) = (Vec::new(), 0, None);
        let _ = state.store.visit_jobs(&filter, &mut |job| {
            if failed.is_some() || jobs.len() >= limit || bytes >= MOST_BYTES {
                return ControlFlow::Break(());
            }
            if sees.sees(&job.hardware) {
                match shown(state, job).map_err(ApiError::from).and_then(|job| raw(&job)) {
                    Ok(job) => {
                        bytes += job.get().len();
                        jobs.push(job);
                    }
                    Err(error) => failed = Some(error),
                }
            }
            ControlFlow::Continue(())
        })?;
        match failed {
            Some(error) => Err(error),
            None => serde_json::to_vec(&Listed { jobs }).map_err(|e| ApiError::internal(e.to_string())),
        }
    })
    .await?;
    Ok(Answer::written(list))
}

/// One job.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    responses((status = 200, body = Job, description = "The job"), NoSuchJob)
)]
#[get("/v1/jobs/{id}")]
pub(crate) async fn get_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
) -> Result<Json<Job>, ApiError> {
    let job = find(&state, id, &caller).await?;
    let job = blocking(move || shown(&state, job)).await?;
    Ok(Json(job))
}

/// A job, of a hardware target in the caller's scope.
async fn find(state: &web::Data<State>, id: u64, caller: &Caller) -> Result<StoredJob, ApiError> {
    let store = state.store.clone();
    let job = blocking(move || store.job(id)).await?;
    caller.may_use(&job.hardware)?;
    Ok(job)
}

/// Cancels a job: at once where it waits, between two of its steps where it is running. What it has measured stays.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["operator"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    responses(
        (status = 200, body = Job, description = "The job, cancelled or with `cancel_requested`"),
        NoSuchJob,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It has ended"),
    )
)]
#[post("/v1/jobs/{id}/cancel")]
pub(crate) async fn cancel_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
) -> Result<Json<Job>, ApiError> {
    find(&state, id, &caller).await?;
    let job = blocking(move || state.jobs.queue.cancel(id, &caller.name)).await?;
    Ok(Json(Job::of_public(job)))
}

/// Follows a job, as server-sent events: the whole job as `progress` whenever it has changed, and as `end` when it has
/// ended, which closes the stream. A stream that closes without `end` was cut off; the job goes on.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("id" = u64, Path, description = "Job number")),
    responses(
        (status = 200, body = JobEvent, content_type = "text/event-stream", description = "`event: progress` or `event: end`, each with the job as JSON in `data`"),
        NoSuchJob,
        (status = 429, body = Problem, content_type = "application/problem+json", description = "The caller, or all callers together, listen too often at once"),
    )
)]
#[get("/v1/jobs/{id}/events")]
pub(crate) async fn job_events(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    find(&state, id, &caller).await?;
    let place = state.listening.take(&caller.name)?;
    let listener = blocking(move || state.jobs.queue.listen(id)).await?;
    let events = unfold((listener, place), |(mut listener, place)| async move {
        let event = next_event(&mut listener).await?;
        Some((Ok::<_, actix_web::Error>(event), (listener, place)))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .streaming(events))
}

async fn next_event(listener: &mut Listener) -> Option<Bytes> {
    let Ok(job) = timeout(KEEP_ALIVE, listener.next()).await else {
        return Some(Bytes::from_static(b": still there\n\n"));
    };
    Some(event(job?))
}

/// Compact JSON has no line breaks, which would end the data.
fn event(job: StoredJob) -> Bytes {
    let name = if job.state.has_ended() { "end" } else { "progress" };
    let data = serde_json::json!(Job::of_public(job));
    format!("event: {name}\ndata: {data}\n\n").into()
}
