//! `/v1/{hardware}/traffic`: shadows and canaries.

use actix_web::{HttpRequest, get, put, web};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{IfMatchMissing, Invalid, NoSuchThing};
use lglp_openapi::traffic::{SetTraffic, Traffic};
use lglp_registry::{HardwareName, SetTraffic as Order};

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::preconditions::if_match;
use super::problem::ApiError;

/// How the requests for `production` are divided, and how far shadows agreed with it so far.
#[utoipa::path(
    tag = "models",
    params(("hardware" = String, Path, description = "Hardware target")),
    responses((status = 200, body = Traffic, description = "The traffic; its ETag is its generation, \"0\" where it was never divided"), NoSuchThing),
    security(("token" = ["viewer"])),
)]
#[get("/v1/{hardware}/traffic")]
pub(crate) async fn get_traffic(
    state: web::Data<State>,
    hardware: web::Path<String>,
) -> Result<Answer<Traffic>, ApiError> {
    let name = hardware_name(&hardware)?;
    answer(state, name).await
}

/// Divides the requests for `production` otherwise: a canary answers a share of the architectures, a shadow predicts a
/// share beside production. Their versions are loaded and tested first. `If-Match` holds the generation that the caller
/// has seen, `"0"` where traffic was never divided, `*` for whichever there is; a list means any of it.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("If-Match" = String, Header, description = "The traffic's current ETag, or `*`", example = "\"0\""),
    ),
    request_body = SetTraffic,
    responses(
        (status = 200, body = Traffic, description = "The traffic; its ETag is its generation"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such hardware target or alias; `detail` names it"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was divided otherwise meanwhile"),
        Invalid,
        IfMatchMissing,
    ),
    security(("token" = ["operator"])),
)]
#[put("/v1/{hardware}/traffic")]
pub(crate) async fn set_traffic(
    state: web::Data<State>,
    hardware: web::Path<String>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<SetTraffic>,
) -> Result<Answer<Traffic>, ApiError> {
    let name = hardware_name(&hardware)?;
    let expected_generation = if_match(
        &request,
        "send If-Match with the traffic's ETag, \"0\" where it was never divided, or * for whichever there is",
    )?;
    let order = Order {
        canary: body.canary,
        shadow: body.shadow,
        expected_generation,
        actor: caller.acting_as(body.actor),
        reason: body.reason,
    };
    order.check()?;
    for (_, share) in order.shares() {
        let version = state.serving.version(&name, &share.alias)?;
        state.serving.load(&name, version).await?;
    }
    let (store, target) = (state.store.clone(), name.clone());
    blocking(move || store.set_traffic(&target, &order)).await?;
    answer(state, name).await
}

async fn answer(state: web::Data<State>, name: HardwareName) -> Result<Answer<Traffic>, ApiError> {
    let traffic = blocking(move || -> lglp_registry::Result<_> {
        Ok(Traffic::of(
            state.store.traffic(&name)?,
            state.serving.agreements(&name)?,
        ))
    })
    .await?;
    Ok(Answer::tagged(traffic.generation, &traffic))
}
