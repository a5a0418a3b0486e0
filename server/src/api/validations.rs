//! `/v1/{hardware}/validations`: predictions of a version against fresh measurements.

use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use lglp_openapi::jobs::{Job, ValidateParameters};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use lglp_openapi::validations::Validation;
use lglp_registry::{JobKind, NewJob};
use serde::Deserialize;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::heavy::heavy;
use super::jobs::submit;
use super::listing::{Frame, Page, listing};
use super::preconditions::idempotency_key;
use super::problem::ApiError;
use super::words::{Path, Query};

/// Which reports to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Those of one version only.
    version: Option<u32>,
}

/// Validation reports of a hardware target, oldest first.
#[utoipa::path(
    tag = "models",
    params(("hardware" = String, Path, description = "Hardware target"), Selection),
    security(("token" = ["viewer"])),
    responses((status = 200, body = Vec<Validation>, description = "Reports, oldest first"), NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/validations")]
pub(crate) async fn list_validations(
    state: web::Data<State>,
    hardware: web::Path<String>,
    selection: Query<Selection>,
    caller: Caller,
) -> Result<Answer<Vec<Validation>>, ApiError> {
    let name = hardware_name(&hardware)?;
    listing(
        &state,
        &caller,
        Frame::array(),
        0,
        move |state, after, page: &mut Page<Validation>| {
            let mut last = after;
            let store = &state.store;
            let shown = store.visit_validations(&name, selection.version, after, &mut |report| {
                last = report.number;
                page.push(&report)
            })?;
            Ok(shown.is_break().then_some(last))
        },
    )
    .await
}

/// Measures fresh architectures now, compares the version's predictions with them, and stores a report: a job of the kind
/// `validate`.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and job give the same job again"),
    ),
    request_body = ValidateParameters,
    security(("token" = ["operator"])),
    responses(
        (status = 202, body = Job, description = "The job, at the address in `Location`"),
        NoSuchThing,
        Invalid,
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many jobs wait"),
    )
)]
#[post("/v1/{hardware}/validations")]
pub(crate) async fn validate(
    state: web::Data<State>,
    hardware: web::Path<String>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<ValidateParameters>,
) -> Result<Answer<Job>, ApiError> {
    let new = NewJob {
        kind: JobKind::Validate,
        hardware: hardware_name(&hardware)?,
        parameters: serde_json::json!(body),
        creator: caller.name.clone(),
        parent: None,
    };
    submit(state, new, idempotency_key(&request)?, &caller).await
}

/// One report, with every pair of prediction and measurement.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("number" = u32, Path, description = "Number of the report"),
    ),
    security(("token" = ["viewer"])),
    responses((status = 200, body = Validation, description = "The report"), NoSuchThing)
)]
#[get("/v1/{hardware}/validations/{number}")]
pub(crate) async fn get_validation(
    state: web::Data<State>,
    Path((hardware, number)): Path<(String, u32)>,
) -> Result<Json<Validation>, ApiError> {
    let name = hardware_name(&hardware)?;
    let found = blocking(move || state.store.validation(&name, number)).await?;
    Ok(Json(found))
}

/// The report's predictions against its measurements, as a picture.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("number" = u32, Path, description = "Number of the report"),
    ),
    security(("token" = ["viewer"])),
    responses((status = 200, body = String, content_type = "image/svg+xml", description = "The scatter plot"), NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/validations/{number}/scatter.svg")]
pub(crate) async fn get_scatter(
    state: web::Data<State>,
    Path((hardware, number)): Path<(String, u32)>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    let svg = heavy(&state, &caller, move |state| {
        let report = state.store.validation(&name, number)?;
        state.store.get_blob(&report.content.scatter)
    })
    .await?;
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(svg))
}
