//! `/v1/blobs`: fitted state, logs and datasets by their digest.

use actix_web::{HttpResponse, get, post, web};
use lglp_openapi::Binary;
use lglp_openapi::measurements::BlobStored;
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{NoSuchThing, TooManyReads};
use lglp_registry::Digest;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Bytes, blocking};
use super::heavy::heavy;
use super::problem::ApiError;

/// Stores a blob.
#[utoipa::path(
    tag = "models",
    security(("token" = ["operator"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    request_body(content = Binary, content_type = "application/octet-stream"),
    responses((status = 201, body = BlobStored, description = "The blob's digest"), (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"))
)]
#[post("/v1/blobs")]
pub(crate) async fn put_blob(state: web::Data<State>, Bytes(body): Bytes) -> Result<Answer<BlobStored>, ApiError> {
    let digest = blocking(move || state.store.put_blob(&body)).await?.to_string();
    Ok(Answer::created(&BlobStored { digest }))
}

/// The content of a blob, verified.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("digest" = String, Path, description = "`sha256:` and 64 hexadecimal digits")),
    responses(
        (status = 200, body = Binary, content_type = "application/octet-stream", description = "The blob"),
        NoSuchThing,
        TooManyReads,
    )
)]
#[get("/v1/blobs/{digest}")]
pub(crate) async fn get_blob(
    state: web::Data<State>,
    digest: web::Path<String>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let digest: Digest = digest.parse().map_err(ApiError::from)?;
    let bytes = heavy(&state, &caller, move |state| state.store.get_blob(&digest)).await?;
    Ok(HttpResponse::Ok().content_type("application/octet-stream").body(bytes))
}
