//! `/v1/registry`: backing up, checking and cleaning the registry.

use std::time::Duration;

use actix_web::http::header::{CONTENT_DISPOSITION, ContentType};
use actix_web::web::Json;
use actix_web::{HttpResponse, get, post, web};
use lglp_openapi::Binary;
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, TooManyReads};
use lglp_openapi::registry::{CollectBlobs, Collected, Verification};

use super::State;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::heavy::heavy;
use super::problem::ApiError;
use super::stream::written_by;

/// A backup of the whole registry as it is at one moment: a tar archive with a manifest first. Changes go on meanwhile.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    responses(
        (status = 200, body = Binary, content_type = "application/octet-stream", description = "The archive; it is whole only where it ends in order"),
        (status = 500, body = Problem, content_type = "application/problem+json", description = "The registry is damaged"),
        TooManyReads,
    )
)]
#[get("/v1/registry/backup")]
pub(crate) async fn backup_registry(state: web::Data<State>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let leave = state.heavy.leave(&caller).await?;
    let body = written_by(move |out| {
        let _leave = leave;
        state.store.backup(out)
    })
    .await?;
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::octet_stream())
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"lglp-registry.tar\""))
        .body(body))
}

/// Checks every record, every blob and the audit log. What is wrong is listed, and is no failure of the call.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    responses((status = 200, body = Verification, description = "What was checked and found"), TooManyReads)
)]
#[get("/v1/registry/verify")]
pub(crate) async fn verify_registry(state: web::Data<State>, caller: Caller) -> Result<Json<Verification>, ApiError> {
    let verification = heavy(&state, &caller, |state| state.store.verify(&|_, _| {})).await?;
    Ok(Json(verification))
}

/// Removes the blobs that nothing names and that nobody has put lately.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    request_body = CollectBlobs,
    responses(
        (status = 200, body = Collected, description = "What was removed, or would be"),
        Invalid,
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The registry takes no more writes"),
    )
)]
#[post("/v1/registry/gc")]
pub(crate) async fn collect_blobs(
    state: web::Data<State>,
    caller: Caller,
    Body(body): Body<CollectBlobs>,
) -> Result<Json<Collected>, ApiError> {
    let keep = Duration::from_secs(body.keep_seconds);
    let collected = blocking(move || state.store.collect_blobs(keep, body.dry_run, &caller.name)).await?;
    Ok(Json(collected))
}
