//! `/v1/tokens`.

use actix_web::web::Json;
use actix_web::{delete, get, post, web};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{Invalid, NoSuchThing};
use lglp_openapi::tokens::{CreateToken, CreatedToken, Token, TokenList};
use lglp_registry::{NewToken, TokenId};
use serde::Deserialize;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::problem::ApiError;
use super::words::Query;
use crate::secret::Bearer;

/// Every token, revoked ones included, the latest last. Secrets are not among what is listed: the server has none.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    responses((status = 200, body = TokenList, description = "Every token, the latest last"))
)]
#[get("/v1/tokens")]
pub(crate) async fn list_tokens(state: web::Data<State>) -> Result<Json<TokenList>, ApiError> {
    let tokens = blocking(move || state.store.tokens()).await?;
    Ok(Json(TokenList { tokens }))
}

/// Creates a token and tells its secret, this once. It takes no `Idempotency-Key`, since the secret could not be told
/// again: where the answer was lost, revoke the token and create another.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    request_body = CreateToken,
    responses(
        (status = 201, body = CreatedToken, description = "The token, and its secret"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "An active token has that name"),
        Invalid,
    )
)]
#[post("/v1/tokens")]
pub(crate) async fn create_token(
    state: web::Data<State>,
    caller: Caller,
    Body(body): Body<CreateToken>,
) -> Result<Answer<CreatedToken>, ApiError> {
    let bearer = Bearer::draw().map_err(|e| ApiError::internal(format!("the system has no random numbers: {e}")))?;
    let new = NewToken {
        id: bearer.id.clone(),
        name: body.name,
        role: body.role,
        hardware: body.hardware,
    };
    let actor = caller.acting_as(body.actor);
    let secret = bearer.to_string();
    let token = blocking(move || state.access.tokens.create(&*state.store, &new, &bearer, &actor)).await?;
    Ok(Answer::created(&CreatedToken { token, secret }))
}

/// Why a token is revoked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    /// For the audit log.
    #[serde(default)]
    reason: String,
}

/// Revokes a token: it is refused from the next request on. The last one of an admin cannot be revoked here.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["admin"])),
    params(("id" = String, Path, description = "The token's id, 12 hexadecimal digits"), Revocation),
    responses(
        (status = 200, body = Token, description = "The revoked token"),
        NoSuchThing,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is the last of an admin"),
    )
)]
#[delete("/v1/tokens/{id}")]
pub(crate) async fn revoke_token(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    revocation: Query<Revocation>,
) -> Result<Json<Token>, ApiError> {
    // What cannot be an id is that of no token.
    let id: TokenId = id.parse().map_err(|_| lglp_registry::Error::not_found("token", &*id))?;
    let Revocation { reason } = revocation.into_inner();
    let revoke = move || state.access.tokens.revoke(&*state.store, &id, &caller.name, &reason);
    Ok(Json(blocking(revoke).await?))
}
