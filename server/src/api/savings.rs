//! `GET /v1/{hardware}/savings`.

use actix_web::web::Json;
use actix_web::{get, web};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{NoSuchThing, TooManyReads};
use lglp_openapi::savings::{SavingsQuery, SavingsReport};

use super::State;
use super::caller::Caller;
use super::extract::hardware_name;
use super::heavy::heavy;
use super::problem::ApiError;
use super::words::Query;
use crate::savings;

/// Time, energy, carbon and money that the served predictions saved.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target"), SavingsQuery),
    responses(
        (status = 200, body = SavingsReport, description = "What predicting saved, and what it follows from"),
        NoSuchThing,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "An assumption is out of range"),
        TooManyReads,
    )
)]
#[get("/v1/{hardware}/savings")]
pub(crate) async fn get_savings(
    state: web::Data<State>,
    hardware: web::Path<String>,
    query: Query<SavingsQuery>,
    caller: Caller,
) -> Result<Json<SavingsReport>, ApiError> {
    let name = hardware_name(&hardware)?;
    let report = heavy(&state, &caller, move |state| {
        state.usage.flush();
        savings::report(&query, &*state.store, &name)
    })
    .await?;
    Ok(Json(report))
}
