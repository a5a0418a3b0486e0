//! What callers are told who are not admitted: 401 and how to send a token, 403 and what it lacks, 429 and when to come back.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use lglp_openapi::problem::Slug;
use lglp_registry::{Role, TokenId};

use super::rejected::Rejected;
use crate::api::problem::ApiError;

const HOW: &str = "send it as `Authorization: Bearer lglp_...` (for lglp's commands: LGLP_TOKEN)";

pub(super) fn missing() -> ApiError {
    unauthorized("Bearer", format!("this server asks for a token; {HOW}"))
}

pub(super) fn malformed(why: &str) -> ApiError {
    unauthorized(
        "Bearer error=\"invalid_token\"",
        format!("the token cannot be read: {why}; {HOW}"),
    )
}

pub(super) fn rejected(why: Rejected) -> ApiError {
    let detail = match why {
        Rejected::Unknown => "this server does not know the token, or its secret is another",
        Rejected::Revoked => "the token was revoked; ask an admin of this server for another",
    };
    unauthorized("Bearer error=\"invalid_token\"", detail.into())
}

fn unauthorized(challenge: &str, detail: String) -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        Slug::Unauthorized,
        "A token is needed",
        detail,
    )
    .with_header(WWW_AUTHENTICATE, challenge)
}

pub(super) fn locked_out(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!(
        "too many bad tokens from this address; try again in {seconds} s, or send a good one, which is always admitted"
    );
    let title = "Too many bad tokens";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, Slug::LockedOut, title, detail)
        .with_header(RETRY_AFTER, seconds.to_string())
}

pub(super) fn role(name: &str, held: Role, needed: Role) -> ApiError {
    forbidden(format!(
        "this needs the role {needed}; the token `{name}` has the role {held}"
    ))
}

/// `reached` is what lies outside of the scope.
pub(super) fn scope(name: &str, scope: &[impl ToString], reached: &str) -> ApiError {
    let scope: Vec<String> = scope.iter().map(ToString::to_string).collect();
    forbidden(format!(
        "the token `{name}` is confined to the hardware {}; this is {reached}",
        scope.join(", ")
    ))
}

/// Revoking it would leave a server that nobody administers.
pub(super) fn last_admin(id: &TokenId) -> ApiError {
    let detail = format!(
        "token {id} is the last of an admin, and nobody could create another; create that first: lglp token create --name NAME \
         --role admin"
    );
    ApiError::new(StatusCode::CONFLICT, Slug::LastAdmin, "The last admin", detail)
}

/// A call whose author forgot to say what it needs.
pub(super) fn no_rule() -> ApiError {
    forbidden("no rule says who may do this, so nobody may; please report it".into())
}

fn forbidden(detail: String) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, Slug::Forbidden, "Not allowed", detail)
}
