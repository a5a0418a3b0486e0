//! `/v1/{hardware}/aliases`: promotion and rollback are moves of `production`.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use lglp_openapi::models::{Alias, MoveAlias};
use lglp_openapi::problem::Problem;
use lglp_registry::{AliasMove, AliasName};

use super::State;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::preconditions::{if_match, tagged};
use super::predict::hardware_name;
use super::problem::ApiError;

/// An alias; its `ETag` is what moving it takes as `If-Match`.
#[utoipa::path(
    tag = "models",
    params(("hardware" = String, Path, description = "Hardware target"), ("alias" = String, Path, description = "Alias")),
    responses((status = 200, body = Alias, description = "The alias; its ETag is its generation"), (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such thing; `detail` names it"))
)]
#[get("/v1/{hardware}/aliases/{alias}")]
pub async fn get_alias(state: web::Data<State>, path: web::Path<(String, String)>) -> Result<HttpResponse, ApiError> {
    let (hardware, alias) = path.into_inner();
    let name = hardware_name(&hardware)?;
    let alias: AliasName = alias.parse().map_err(ApiError::from)?;
    let found = blocking(move || state.store.alias(&name, &alias)).await?;
    Ok(tagged(found.generation, &found))
}

/// Moves an alias to a version, which is loaded and tested first: requests never wait for it. `If-Match` holds the
/// generation that the caller has seen, `"0"` for an alias that is to be created.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("alias" = String, Path, description = "Alias", example = "production"),
        ("If-Match" = String, Header, description = "The alias's current ETag", example = "\"3\""),
    ),
    request_body = MoveAlias,
    responses(
        (status = 200, body = Alias, description = "The alias; its ETag is its generation"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such thing; `detail` names it"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The alias has moved meanwhile"),
        (status = 428, body = Problem, content_type = "application/problem+json", description = "If-Match is missing"),
    )
)]
#[put("/v1/{hardware}/aliases/{alias}")]
pub async fn move_alias(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<MoveAlias>,
) -> Result<HttpResponse, ApiError> {
    let (hardware, alias) = path.into_inner();
    let name = hardware_name(&hardware)?;
    let alias: AliasName = alias.parse().map_err(ApiError::from)?;
    let expected_generation = if_match(&request, "send If-Match with the alias's ETag, or \"0\" to create it")?;
    let actor = if body.actor.is_empty() { caller.name } else { body.actor };
    let order = AliasMove {
        alias,
        version: body.version,
        expected_generation,
        actor,
        reason: body.reason,
    };
    state.serving.load(&name, order.version).await?;
    let moved = blocking(move || state.store.move_alias(&name, &order)).await?;
    Ok(tagged(moved.generation, &moved))
}
