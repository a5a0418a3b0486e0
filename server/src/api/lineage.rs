//! `/v1/{hardware}/models/{version}/lineage` and `/v1/{hardware}/models/{version}/diff/{other}`.

use std::sync::Arc;

use actix_web::web::Json;
use actix_web::{HttpResponse, get, post, web};
use lglp_engine::predictor::{ROWS_PER_UNIT, ServedModel};
use lglp_openapi::lineage::{DiffQuery, Lineage, ModelDiff};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use lglp_openapi::rebind::{RebindRequest, Rebound};
use lglp_sdk::Architecture;

use super::State;
use super::body::Body;
use super::caller::Caller;
use super::extract::{blocking, hardware_name};
use super::heavy::heavy;
use super::problem::ApiError;
use super::words::{Path, Query};
use crate::compute::{Turn, parts};
use crate::lineage;
use crate::serving::{Serving, ServingError};

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
        NoSuchThing,
        TooManyReads,
    )
)]
#[get("/v1/{hardware}/models/{version}/lineage")]
pub(crate) async fn get_lineage(
    state: web::Data<State>,
    Path((hardware, version)): Path<(String, u32)>,
    caller: Caller,
) -> Result<Json<Lineage>, ApiError> {
    let name = hardware_name(&hardware)?;
    let found = heavy(&state, &caller, move |state| {
        lineage::lineage(&*state.store, &state.host, &name, version)
    })
    .await?;
    Ok(Json(found))
}

/// Makes a version of another, with the builds of its plugins that are in the plugin folder now, where they predict the same.
#[utoipa::path(
    tag = "models",
    security(("token" = ["operator"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("version" = u32, Path, description = "Version number"),
    ),
    request_body = RebindRequest,
    responses(
        (status = 201, body = Rebound, description = "The version that was made"),
        NoSuchThing,
        Invalid,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is no other build, the one it was fitted with is gone, or they predict something else"),
        TooManyReads,
    )
)]
#[post("/v1/{hardware}/models/{version}/rebind")]
pub(crate) async fn rebind_version(
    state: web::Data<State>,
    Path((hardware, version)): Path<(String, u32)>,
    caller: Caller,
    Body(request): Body<RebindRequest>,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    let creator = caller.acting_as(String::new());
    let rebound = heavy(&state, &caller, move |state| {
        let version = (&name, version);
        lineage::rebind(&*state.store, &state.host, &state.spaces, version, &request, &creator)
    })
    .await?;
    Ok(HttpResponse::Created().json(rebound))
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
        NoSuchThing,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "`count` is out of range"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many requests wait"),
    )
)]
#[get("/v1/{hardware}/models/{version}/diff/{other}")]
pub(crate) async fn get_diff(
    state: web::Data<State>,
    Path((hardware, a, b)): Path<(String, u32, u32)>,
    query: Query<DiffQuery>,
    caller: Caller,
) -> Result<Json<ModelDiff>, ApiError> {
    let name = hardware_name(&hardware)?;
    let leave = state.heavy.leave(&caller).await?;
    // What cannot be loaded is not compared, as the answer says.
    for version in [a, b] {
        let _ = state.serving.load(&name, version).await;
    }
    // It takes turns with predictions, and ends soon after whoever asked has gone.
    let turn = Arc::new(state.desk.turn()?);
    let _asked = Asked(turn.clone());
    let found = blocking(move || {
        let _leave = leave;
        let predict = |model: &_, rows: &_| predict(&turn, &state.serving, model, rows);
        lineage::diff(&*state.store, &state.serving, &name, (a, b), &query, &predict)
    })
    .await?;
    Ok(Json(found))
}

/// Whoever asked: gone when it is dropped.
struct Asked(Arc<Turn>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Part by part, each a unit of the crew's.
fn predict(
    turn: &Turn,
    serving: &Arc<Serving>,
    model: &Arc<ServedModel>,
    rows: &Arc<[Architecture]>,
) -> Result<Vec<f64>, ServingError> {
    let mut values = Vec::with_capacity(rows.len());
    for part in parts(rows.len(), ROWS_PER_UNIT) {
        let (serving, model, rows, count) = (serving.clone(), model.clone(), rows.clone(), part.len());
        let account = model.account.clone();
        values.extend(turn.run_blocking(&account, count, move || serving.values(&model, &rows[part]))??);
    }
    Ok(values)
}
