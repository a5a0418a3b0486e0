//! `/v1/workers`: machines that measure for the server.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Json;
use actix_web::{HttpResponse, delete, get, post, put, web};
use lglp_engine::host::PluginHost;
use lglp_engine::measure::{Difference, Setup, difference};
use lglp_openapi::problem::responses::{Invalid, NoSuchWorker, QuotaReached, RegisteredElsewhere};
use lglp_openapi::problem::{Problem, Slug};
use lglp_openapi::workers::{
    AskForWork, Calibrated, Calibration, ConfirmWorker, RegisterWorker, Registered, Setup as WireSetup, Work, Worker,
    WorkerList,
};
use lglp_registry::{
    Error, HardwareName, HardwareTarget, NewHardware, NewWorker, Quota, Result, Role, SignOfLife, Worker as Stored,
    WorkerName,
};
use serde::Deserialize;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::problem::ApiError;
use super::words::Query;
use crate::jobs::WORKER_LEASE_S;
use crate::workers::{skew, worker_status};

/// Longest wait for work, seconds: shorter than what proxies cut off.
const WAIT_LIMIT_S: u32 = 30;

/// Between two looks for work where nobody said that there is some: a lease may have run out.
const LOOK: Duration = Duration::from_secs(2);

/// Every worker that the caller may see, by name.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    responses((status = 200, body = WorkerList, description = "Workers, by name"))
)]
#[get("/v1/workers")]
pub(crate) async fn list_workers(state: web::Data<State>, caller: Caller) -> Result<Json<WorkerList>, ApiError> {
    let workers = blocking(move || -> Result<Vec<Worker>> {
        let workers = state.store.workers()?.into_iter();
        let seen = workers.filter(|worker| caller.sees(&worker.hardware));
        seen.map(|worker| worker_status(&*state.store, worker)).collect()
    })
    .await?;
    Ok(Json(WorkerList { workers }))
}

/// Registers a worker. A machine that differs from its target's is refused, and listed until it is confirmed.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("worker" = String, Path, description = "Name of the worker; also of the device that it measures on")),
    request_body = RegisterWorker,
    responses(
        (status = 200, body = Registered, description = "The worker, and its target's settings"),
        QuotaReached,
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such hardware target, and `setup` was not given"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The machine is another one than the target's"),
        Invalid,
        (status = 429, body = Problem, content_type = "application/problem+json", description = "The caller registers other machines or targets too often"),
    )
)]
#[put("/v1/workers/{worker}")]
pub(crate) async fn register_worker(
    state: web::Data<State>,
    worker: web::Path<String>,
    caller: Caller,
    Body(body): Body<RegisterWorker>,
) -> Result<Json<Registered>, ApiError> {
    let name = worker_name(&worker)?;
    let hardware = hardware_name(&body.hardware)?;
    caller.may_use(&hardware)?;
    let skew = skew(&body.sent_at)?;
    if !body.fingerprint.is_object() {
        return Err(Error::invalid("fingerprint", "expected an object of facts about the machine").into());
    }
    let (target, differs, stored) = blocking(move || {
        let before = state.store.worker(&name).ok();
        if let Some(known) = &before {
            // Whoever may use one target must not take a worker of another one's place.
            caller.may_use(&known.hardware)?;
            if known.instance == body.instance && !caller.speaks_for(known) {
                return Err(Error::StaleInstance { worker: name }.into());
            }
        }
        // What the audit log would tell of.
        let is_news = before
            .is_none_or(|known| (known.hardware, known.fingerprint) != (hardware.clone(), body.fingerprint.clone()));
        let is_paced = is_news && caller.role != Role::Admin;
        if let Some(wait) = state
            .registrations
            .wait(&caller.name, Instant::now())
            .filter(|_| is_paced)
        {
            return Err(too_often(&caller.name, wait));
        }
        let (known, brought) = target(&state, &hardware, &body)?;
        let differs = known.and_then(|target| difference(&target, &body.fingerprint));
        let new = NewWorker {
            name,
            hardware,
            instance: body.instance,
            fingerprint: body.fingerprint,
            difference: differs.as_ref().map(describe),
            version: body.version,
        };
        let quota = Quota::of(caller.role);
        state
            .jobs
            .leasing
            .register(&new, brought.as_ref(), quota, &caller.name)?;
        if is_paced {
            state.registrations.count(&caller.name, Instant::now());
        }
        let target = state.store.hardware(&new.hardware)?;
        let sign = SignOfLife {
            clock_skew_s: Some(skew),
            ..SignOfLife::default()
        };
        let seen = state.store.see_worker(&new.name, &new.instance, sign)?;
        let worker = worker_status(&*state.store, seen)?;
        Ok::<_, ApiError>((target, differs, worker))
    })
    .await?;
    if let Some(differs) = differs {
        return Err(other_machine(&stored, &differs));
    }
    Ok(Json(Registered {
        worker: stored,
        hardware: target,
        lease_s: WORKER_LEASE_S,
    }))
}

fn too_often(caller: &str, wait: Duration) -> ApiError {
    let detail = format!(
        "{caller} has registered other machines or targets than before too often, and the audit log keeps each; try again in {} s",
        wait.as_secs() + 1
    );
    let title = "Too many requests";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, Slug::TooManyRegistrations, title, detail)
        .with_header(RETRY_AFTER, (wait.as_secs() + 1).to_string())
}

/// The target; or, where there is none, the one that the worker brings along if it says how to measure for it.
fn target(
    state: &State,
    name: &HardwareName,
    body: &RegisterWorker,
) -> Result<(Option<HardwareTarget>, Option<NewHardware>)> {
    let setup = body.setup.clone().map(|wire| setup(&state.host, wire)).transpose()?;
    match (state.store.hardware(name), setup) {
        (Err(Error::NotFound { .. }), Some(setup)) => {
            let new = NewHardware {
                by_workers: true,
                ..setup.new_target(name, body.fingerprint.clone(), None)
            };
            Ok((None, Some(new)))
        }
        (found, _) => Ok((Some(found?), None)),
    }
}

/// How a target is to measure, checked even where there is one already.
fn setup(host: &PluginHost, wire: WireSetup) -> Result<Setup> {
    let WireSetup {
        runtime,
        settings,
        batch_size,
    } = wire;
    let setup = Setup {
        runtime,
        settings,
        batch: batch_size,
        configured: false,
    };
    setup.check(host, "setup")?;
    Ok(setup)
}

fn describe(difference: &Difference) -> String {
    let Difference { fact, there, here } = difference;
    format!("its {fact} is {here}, the target's is {there}")
}

fn other_machine(worker: &Worker, difference: &Difference) -> ApiError {
    let Worker { name, hardware, .. } = worker;
    let detail = format!(
        "{name} is another machine than {hardware} was measured on: {}; register it for another hardware target, e.g. \
         {hardware}-2, or where its latencies belong with the others all the same, confirm it: lglp workers confirm {name} \
         --reason WHY",
        describe(difference)
    );
    ApiError::new(
        StatusCode::CONFLICT,
        Slug::FingerprintDiffers,
        "It is another machine",
        detail,
    )
}

/// Lets a worker measure for its target although its machine is another one, from now on.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["operator"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("worker" = String, Path, description = "Name of the worker")),
    request_body = ConfirmWorker,
    responses(
        (status = 200, body = Worker, description = "The worker"),
        NoSuchWorker,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "There is nothing to confirm, or no reason was given"),
    )
)]
#[post("/v1/workers/{worker}/confirm")]
pub(crate) async fn confirm_worker(
    state: web::Data<State>,
    worker: web::Path<String>,
    caller: Caller,
    Body(body): Body<ConfirmWorker>,
) -> Result<Json<Worker>, ApiError> {
    let name = worker_name(&worker)?;
    let confirmed = blocking(move || {
        caller.may_use(&state.store.worker(&name)?.hardware)?;
        let worker = state.store.confirm_worker(&name, &caller.name, &body.reason)?;
        Ok::<_, ApiError>(worker_status(&*state.store, worker)?)
    })
    .await?;
    Ok(Json(confirmed))
}

/// Leases the next measuring job of the worker's hardware target, waiting a while for one.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("worker" = String, Path, description = "Name of the worker")),
    request_body = AskForWork,
    responses(
        (status = 200, body = Work, description = "A job, with its lease and its first architectures"),
        (status = 204, description = "There is no work"),
        NoSuchWorker,
        RegisteredElsewhere,
    )
)]
#[post("/v1/workers/{worker}/lease")]
pub(crate) async fn lease_work(
    state: web::Data<State>,
    worker: web::Path<String>,
    caller: Caller,
    Body(body): Body<AskForWork>,
) -> Result<Answer<Work>, ApiError> {
    let name = worker_name(&worker)?;
    let sign = SignOfLife {
        clock_skew_s: Some(skew(&body.sent_at)?),
        ..SignOfLife::default()
    };
    let (shared, asking, instance, asks) = (state.clone(), name.clone(), body.instance.clone(), caller.clone());
    blocking(move || {
        let worker = seen(&shared, &asking, &instance, sign, &asks)?;
        Ok::<_, ApiError>(shared.jobs.leasing.take_back(&worker)?)
    })
    .await?;
    let until = Instant::now() + Duration::from_secs(body.wait_s.min(WAIT_LIMIT_S).into());
    loop {
        let (shared, name, instance, caller) = (state.clone(), name.clone(), body.instance.clone(), caller.clone());
        let work = blocking(move || {
            let worker = seen(&shared, &name, &instance, sign, &caller)?;
            Ok::<_, ApiError>(shared.jobs.leasing.lease_or_share(&worker)?)
        })
        .await?;
        if let Some(work) = work {
            return Ok(Answer::new(StatusCode::OK, &work));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || state.jobs.queue.is_stopping() {
            return Ok(Answer::none());
        }
        state.jobs.queue.wait(left.min(LOOK)).await;
    }
}

/// Tells what a worker measured of its target's reference network: the first calibrates the target.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("worker" = String, Path, description = "Name of the worker")),
    request_body = Calibration,
    responses(
        (status = 200, body = Calibrated, description = "What the target is calibrated by, and the worker against it"),
        RegisteredElsewhere,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "It is another network than the target's"),
    )
)]
#[post("/v1/workers/{worker}/calibration")]
pub(crate) async fn calibrate_worker(
    state: web::Data<State>,
    worker: web::Path<String>,
    caller: Caller,
    Body(body): Body<Calibration>,
) -> Result<Json<Calibrated>, ApiError> {
    let name = worker_name(&worker)?;
    let calibrated = blocking(move || {
        let worker = seen(&state, &name, &body.instance, SignOfLife::default(), &caller)?;
        if worker.difference.is_some() {
            return Err(unconfirmed(&worker));
        }
        let (reference, ratio) = state.jobs.leasing.calibrate(&worker, &body.reference, &caller.name)?;
        let sign = SignOfLife {
            reference_ratio: Some(ratio),
            ..SignOfLife::default()
        };
        state.store.see_worker(&name, &body.instance, sign)?;
        Ok(Calibrated { reference, ratio })
    })
    .await?;
    Ok(Json(calibrated))
}

fn unconfirmed(worker: &Stored) -> ApiError {
    let detail = format!(
        "{} is not confirmed: {}",
        worker.name,
        worker.difference.as_deref().unwrap_or_default()
    );
    ApiError::new(
        StatusCode::CONFLICT,
        Slug::FingerprintDiffers,
        "It is another machine",
        detail,
    )
}

/// Which process signs off.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Leaving {
    /// The process that signs off itself. Whoever may operate the target may leave it out, for a worker that is gone for good.
    instance: Option<String>,
}

/// Signs a worker off: its target is measured by the others, or by the server again. What it had leased is queued again.
#[utoipa::path(
    tag = "workers",
    security(("token" = ["worker"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("worker" = String, Path, description = "Name of the worker"), Leaving),
    responses(
        (status = 204, description = "It is gone"),
        NoSuchWorker,
        RegisteredElsewhere,
    )
)]
#[delete("/v1/workers/{worker}")]
pub(crate) async fn sign_off_worker(
    state: web::Data<State>,
    worker: web::Path<String>,
    leaving: Query<Leaving>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let name = worker_name(&worker)?;
    blocking(move || {
        let known = state.store.worker(&name)?;
        caller.may_use(&known.hardware)?;
        let instance = match leaving.into_inner().instance {
            Some(instance) if caller.speaks_for(&known) => instance,
            Some(_) => return Err(Error::StaleInstance { worker: name }.into()),
            None => {
                caller.require(lglp_registry::Role::Operator)?;
                known.instance
            }
        };
        Ok::<_, ApiError>(state.jobs.leasing.sign_off(&name, &instance)?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Notes a sign of life of a worker that the caller speaks for.
pub(super) fn seen(
    state: &State,
    name: &WorkerName,
    instance: &str,
    sign: SignOfLife,
    caller: &Caller,
) -> Result<Stored, ApiError> {
    let worker = state.store.worker(name)?;
    caller.may_use(&worker.hardware)?;
    if !caller.speaks_for(&worker) {
        return Err(Error::StaleInstance { worker: name.clone() }.into());
    }
    Ok(state.store.see_worker(name, instance, sign)?)
}

fn worker_name(name: &str) -> Result<WorkerName, ApiError> {
    name.parse()
        .map_err(|_| ApiError::from(Error::not_found("worker", name)))
}
