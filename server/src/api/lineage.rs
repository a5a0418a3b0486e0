//! `/v1/{hardware}/models/{version}/lineage` and `/v1/{hardware}/models/{version}/diff/{other}`.

use actix_web::{HttpResponse, get, web};
use lglp_openapi::lineage::{DiffQuery, Lineage, ModelDiff};
use lglp_openapi::problem::Problem;

use super::State;
use super::extract::blocking;
use super::predict::{Cores, hardware_name};
use super::problem::ApiError;
use crate::lineage;

/// What a version follows from: dataset, recipe, plugins, the registries it came through; and what happened to it since.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("version" = u32, Path, description = "Version number"),
    ),
    responses(
        (status = 200, body = Lineage, description = "The version's lineage"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such thing; `detail` names it"),
    )
)]
#[get("/v1/{hardware}/models/{version}/lineage")]
pub async fn get_lineage(state: web::Data<State>, path: web::Path<(String, u32)>) -> Result<HttpResponse, ApiError> {
    let (hardware, version) = path.into_inner();
    let name = hardware_name(&hardware)?;
    let found = blocking(move || lineage::lineage(&*state.store, &state.host, &name, version)).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// How two versions differ: recipe, plugins, data, metrics, and the architectures on which their predictions differ most.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("version" = u32, Path, description = "Version number: a"),
        ("other" = u32, Path, description = "Version number: b"),
        DiffQuery,
    ),
    responses(
        (status = 200, body = ModelDiff, description = "How they differ"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such thing; `detail` names it"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`count` is out of range"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many requests wait"),
    )
)]
#[get("/v1/{hardware}/models/{version}/diff/{other}")]
pub async fn get_diff(
    state: web::Data<State>,
    path: web::Path<(String, u32, u32)>,
    query: web::Query<DiffQuery>,
) -> Result<HttpResponse, ApiError> {
    let (hardware, a, b) = path.into_inner();
    let name = hardware_name(&hardware)?;
    // It waits its turn among predictions, and takes one core for all of its own.
    let _place = state
        .queue
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::overloaded())?;
    // Before a core is taken: whoever waits for a version to be loaded keeps none from others. What cannot be loaded is not
    // compared, as the answer says.
    for version in [a, b] {
        let _ = state.serving.load(&name, version).await;
    }
    let core = Cores::take(&state.running, 1).await?;
    let found = blocking(move || {
        let _core = core;
        lineage::diff(&*state.store, &state.serving, &name, (a, b), &query)
    })
    .await?;
    Ok(HttpResponse::Ok().json(found))
}
