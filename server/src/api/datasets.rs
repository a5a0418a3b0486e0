//! `/v1/{hardware}/datasets`.

use actix_web::{get, post, web};
use lglp_openapi::measurements::{Dataset, FreezeDataset};
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::NewDataset;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{BODY_LIMIT, Body, blocking, hardware_name};
use super::heavy::heavy_json;
use super::problem::ApiError;

/// Frozen datasets of a hardware target.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    responses((status = 200, body = Vec<Dataset>, description = "Frozen datasets"), NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/datasets")]
pub(crate) async fn list_datasets(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
) -> Result<Answer<Vec<Dataset>>, ApiError> {
    let name = hardware_name(&hardware)?;
    heavy_json(&state, &caller, move |state| state.store.datasets(&name)).await
}

/// Freezes a dataset. Freezing the same content again gives the same dataset.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = FreezeDataset,
    responses((status = 201, body = Dataset, description = "The frozen dataset"), (status = 409, body = Problem, content_type = "application/problem+json", description = "The content is described otherwise already"), Invalid)
)]
#[post("/v1/{hardware}/datasets")]
pub(crate) async fn freeze_dataset(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(body): Body<FreezeDataset, BODY_LIMIT>,
) -> Result<Answer<Dataset>, ApiError> {
    let name = hardware_name(&hardware)?;
    let rows = body.content.lines().count();
    if rows != body.rows {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: "/rows".into(),
            detail: format!("{}; the content has {rows} lines, one a row", body.rows),
        }]));
    }
    let new = NewDataset {
        space: body.space,
        rows: body.rows,
        origin: body.origin,
        creator: caller.acting_as(body.creator),
    };
    let dataset = blocking(move || state.store.freeze_dataset(&name, &new, body.content.as_bytes())).await?;
    Ok(Answer::created(&dataset))
}
