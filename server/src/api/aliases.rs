//! `/v1/{hardware}/aliases`: promotion and rollback are moves of `production`.

use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::{HttpRequest, get, post, put, web};
use lglp_openapi::models::{Alias, MoveAlias, MoveAnswer, RollBack};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{AliasMoved, IfMatchMissing, NoSuchThing};
use lglp_registry::{AliasMove, AliasName, Role, Rollback};
use serde::Deserialize;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::preconditions::{idempotency_key, if_match};
use super::problem::ApiError;
use super::words::Query;

/// What to send to move one.
const HOW: &str = "send If-Match with the alias's ETag, \"0\" to create it, or * for whichever there is";

/// An alias; its `ETag` is what moving it takes as `If-Match`.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target"), ("alias" = String, Path, description = "Alias")),
    responses((status = 200, body = Alias, description = "The alias; its ETag is its generation"), NoSuchThing)
)]
#[get("/v1/{hardware}/aliases/{alias}")]
pub(crate) async fn get_alias(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
) -> Result<Answer<Alias>, ApiError> {
    let (hardware, alias) = path.into_inner();
    let name = hardware_name(&hardware)?;
    let alias: AliasName = alias.parse().map_err(ApiError::from)?;
    let found = blocking(move || state.store.alias(&name, &alias)).await?;
    Ok(Answer::tagged(found.generation, &found))
}

/// How to move an alias.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveOptions {
    /// Say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Moves an alias to a version, which is loaded and tested first: requests never wait for it. `If-Match` holds the
/// generation that the caller has seen, `"0"` for an alias that is to be created, `*` for whichever there is; a list means any of
/// it. `production` moves only where the
/// hardware's gate lets the version pass; each rule that fails is named, with its figures.
#[utoipa::path(
    tag = "models",
    security(("token" = ["operator"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("alias" = String, Path, description = "Alias", example = "production"),
        ("If-Match" = String, Header, description = "The alias's current ETag, or `*`", example = "\"3\""),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key gets the first answer"),
        MoveOptions,
    ),
    request_body = MoveAlias,
    responses(
        (status = 200, body = MoveAnswer, description = "The alias, whose ETag is its generation; with `dry_run` what would happen"),
        NoSuchThing,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The gate refuses; `errors` names each rule that failed"),
        AliasMoved,
        IfMatchMissing,
    )
)]
#[put("/v1/{hardware}/aliases/{alias}")]
pub(crate) async fn move_alias(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
    options: Query<MoveOptions>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<MoveAlias>,
) -> Result<Answer<MoveAnswer>, ApiError> {
    let (hardware, alias) = path.into_inner();
    let name = hardware_name(&hardware)?;
    if body.force {
        caller.require(Role::Admin)?;
    }
    let order = AliasMove {
        alias: alias.parse().map_err(ApiError::from)?,
        version: body.version,
        expected_generation: if_match(&request, HOW)?,
        actor: caller.acting_as(body.actor),
        reason: body.reason,
        force: body.force,
        idempotency_key: idempotency_key(&request)?,
    };
    if options.dry_run {
        let forecast = blocking(move || state.store.forecast_move(&name, &order)).await?;
        return Ok(Answer::new(StatusCode::OK, &MoveAnswer::Forecast(forecast)));
    }
    state.serving.load(&name, order.version).await?;
    let moved = blocking(move || state.store.move_alias(&name, &order)).await?;
    Ok(Answer::tagged(moved.generation, &MoveAnswer::Moved(moved)))
}

/// Moves an alias back to the version that it pointed at before; once more goes back further. No gate is asked. The version
/// is still loaded, so that the next request is answered by it. `If-Match` may be left out.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("alias" = String, Path, description = "Alias", example = "production"),
        ("If-Match" = Option<String>, Header, description = "The alias's current ETag, or `*`, where two might roll back at once"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key gets the first answer"),
    ),
    request_body = RollBack,
    security(("token" = ["operator"])),
    responses(
        (status = 200, body = Alias, description = "The alias; its ETag is its generation"),
        NoSuchThing,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is no earlier version"),
        AliasMoved,
    )
)]
#[post("/v1/{hardware}/aliases/{alias}/rollback")]
pub(crate) async fn roll_back(
    state: web::Data<State>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<RollBack>,
) -> Result<Answer<Alias>, ApiError> {
    let (hardware, alias) = path.into_inner();
    let name = hardware_name(&hardware)?;
    let seen = request.headers().contains_key(IF_MATCH);
    let alias: AliasName = alias.parse().map_err(ApiError::from)?;
    let (store, target, wanted) = (state.store.clone(), name.clone(), alias.clone());
    let now = blocking(move || store.alias(&target, &wanted)).await?;
    // The last one is loaded still; one further back, or one that could not be loaded at start, is tested before it serves.
    if let Some(version) = now.previous.last() {
        state.serving.load(&name, *version).await?;
    }
    let order = Rollback {
        alias,
        // As it was sent, and not as it is now: a repetition with the same key must be the same request.
        expected_generation: seen.then(|| if_match(&request, HOW)).transpose()?,
        actor: caller.acting_as(body.actor),
        reason: body.reason,
        idempotency_key: idempotency_key(&request)?,
    };
    let moved = blocking(move || state.store.roll_back(&name, &order)).await?;
    Ok(Answer::tagged(moved.generation, &moved))
}
