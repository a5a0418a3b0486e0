//! `/v1/jobs` and `/v1/{hardware}/jobs`: long work in the background.

use std::ops::ControlFlow;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use futures_util::stream::unfold;
use lglp_openapi::jobs::{Job, JobEvent, JobList, SubmitJob};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchHardware, NoSuchJob};
use lglp_registry::{HardwareName, Job as StoredJob, JobFilter, JobKind, JobState, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::State;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::heavy::{heavy, heavy_json};
use super::preconditions::idempotency_key;
use super::problem::ApiError;
use super::words::{Path, Query};
use crate::jobs::Listener;

/// Silence after which a comment is sent, so that nobody on the way takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The same as the contract's `SubmitJob`, in the registry's types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubmitBody {
    kind: JobKind,
    #[serde(default)]
    parameters: Value,
}

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
    Body(body): Body<SubmitBody>,
) -> Result<HttpResponse, ApiError> {
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
) -> Result<HttpResponse, ApiError> {
    let names_plan = new.parameters.get("plan").is_some_and(|plan| !plan.is_null());
    let takes_long = names_plan || new.kind == JobKind::Onboard;
    let role = caller.role;
    let submit = move |state: &State| -> lglp_registry::Result<_> {
        let job = state.jobs.submit(new, key.as_deref(), role)?;
        Ok((job.id, shown(state, &job)?))
    };
    let (id, job) = if takes_long {
        // A plan is read, and each of its architectures is checked; a recipe is tried that is to onboard.
        heavy(&state, caller, submit).await?
    } else {
        let state = state.clone();
        blocking(move || submit(&state)).await?
    };
    Ok(HttpResponse::Accepted()
        // Relative to `/v1/{hardware}/…`, so that it holds behind a prefix of paths, too.
        .insert_header((LOCATION, format!("../jobs/{id}")))
        .json(job))
}

/// A job as everybody sees it who may: by what its worker holds the lease is the worker's alone to know.
fn seen(job: &StoredJob) -> Value {
    let mut seen = serde_json::json!(job);
    if let Some(lease) = seen["lease"].as_object_mut() {
        lease.remove("fencing");
        let holder = lease["holder"].as_str().unwrap_or_default();
        lease["holder"] = holder.split('@').next().unwrap_or_default().into();
    }
    seen
}

/// A job with what it waits for.
fn shown(state: &State, job: &StoredJob) -> lglp_registry::Result<Value> {
    let mut shown = seen(job);
    if let Some(workers) = state.jobs.waits_for(job)? {
        shown["waits_for"] = workers.into();
    }
    Ok(shown)
}

fn raw(job: Value) -> Result<Box<RawValue>, ApiError> {
    to_raw_value(&job).map_err(|e| ApiError::internal(e.to_string()))
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
    #[param(value_type = Option<lglp_openapi::jobs::JobState>)]
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

/// As the contract's `JobList`.
#[derive(Default, Serialize)]
struct Listed {
    jobs: Vec<Box<RawValue>>,
}

/// Jobs, newest first; fewer than asked for where they are large.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
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
) -> Result<HttpResponse, ApiError> {
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
    heavy_json(&state, &caller, move |state| {
        let (mut listed, mut bytes) = (Ok(Listed::default()), 0);
        let _ = state.store.visit_jobs(&filter, &mut |job| {
            let Ok(list) = &mut listed else {
                return ControlFlow::Break(());
            };
            if list.jobs.len() >= limit || bytes >= MOST_BYTES {
                return ControlFlow::Break(());
            }
            if sees.sees(&job.hardware) {
                match shown(state, &job).map_err(ApiError::from).and_then(raw) {
                    Ok(job) => {
                        bytes += job.get().len();
                        list.jobs.push(job);
                    }
                    Err(error) => listed = Err(error),
                }
            }
            ControlFlow::Continue(())
        })?;
        listed
    })
    .await
}

/// One job.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "Job number")),
    responses((status = 200, body = Job, description = "The job"), NoSuchJob)
)]
#[get("/v1/jobs/{id}")]
pub(crate) async fn get_job(
    state: web::Data<State>,
    Path((id,)): Path<(u64,)>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let job = find(&state, id, &caller).await?;
    let job = blocking(move || shown(&state, &job)).await?;
    Ok(HttpResponse::Ok().json(job))
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
) -> Result<HttpResponse, ApiError> {
    find(&state, id, &caller).await?;
    let job = blocking(move || state.jobs.cancel(id, &caller.name)).await?;
    Ok(HttpResponse::Ok().json(seen(&job)))
}

/// Follows a job, as server-sent events: the whole job as `progress` whenever it has changed, and as `end` when it has
/// ended, which closes the stream. A stream that closes without `end` was cut off; the job goes on.
#[utoipa::path(
    tag = "jobs",
    security(("token" = ["viewer"])),
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
    let listener = blocking(move || state.jobs.listen(id)).await?;
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
    Some(event(&job?))
}

/// Compact JSON has no line breaks, which would end the data.
fn event(job: &StoredJob) -> Bytes {
    let name = if job.state.has_ended() { "end" } else { "progress" };
    format!("event: {name}\ndata: {}\n\n", seen(job)).into()
}
