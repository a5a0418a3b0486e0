//! `/v1/{hardware}/exclusions`.

use actix_web::web::Json;
use actix_web::{get, post, web};
use lglp_openapi::exclusions::{Exclude, Excluded, Exclusion};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use serde::Deserialize;

use super::State;
use super::answer::Answer;
use super::body::EXCLUSIONS;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::heavy::heavy_json;
use super::problem::ApiError;
use super::words::Query;

/// Which exclusions to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Search space.
    space: String,
}

/// Measurements of a space that are kept but not trained on, with the reasons.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target"), Selection),
    responses((status = 200, body = Vec<Exclusion>, description = "Exclusions by replicate and digest"), NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/exclusions")]
pub(crate) async fn list_exclusions(
    state: web::Data<State>,
    hardware: web::Path<String>,
    selection: Query<Selection>,
    caller: Caller,
) -> Result<Answer<Vec<Exclusion>>, ApiError> {
    let name = hardware_name(&hardware)?;
    heavy_json(&state, &caller, move |state| {
        state.store.exclusions(&name, &selection.space)
    })
    .await
}

/// Excludes measurements, all or none. They are kept; excluding the same again changes nothing.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = Exclude,
    responses(
        (status = 200, body = Excluded, description = "How many of them were new"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such hardware target or measurement"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "One is excluded for another reason"),
        Invalid,
    )
)]
#[post("/v1/{hardware}/exclusions")]
pub(crate) async fn exclude_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(body): Body<Exclude, EXCLUSIONS>,
) -> Result<Json<Excluded>, ApiError> {
    let name = hardware_name(&hardware)?;
    let actor = caller.acting_as(body.actor);
    let store = state.store.clone();
    let excluded = blocking(move || store.exclude_measurements(&name, &body.exclusions, &actor)).await?;
    Ok(Json(Excluded { excluded }))
}
