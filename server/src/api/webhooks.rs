//! `/v1/webhooks`: who is told of events.

use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use lglp_openapi::problem::responses::NoSuchWebhook;
use lglp_openapi::problem::{Fault, Problem, Slug};
use lglp_openapi::webhooks::{CreatedWebhook, NewWebhook, Pinged, Webhook, WebhookList};
use lglp_registry::WebhookId;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::preconditions::idempotency_key;
use super::problem::ApiError;
use crate::webhooks::{DELIVERY_HEADER, Outcome, TargetError, delivery_status, delivery_statuses, ping};

impl From<TargetError> for ApiError {
    fn from(error: TargetError) -> Self {
        Self::invalid_request(vec![Fault {
            pointer: "/url".into(),
            detail: error.to_string(),
        }])
    }
}

/// Every webhook, by name, and how its deliveries go. Secrets are not told.
#[utoipa::path(
    tag = "operation",
    responses((status = 200, body = WebhookList, description = "Webhooks by name")),
    security(("token" = ["admin"]))
)]
#[get("/v1/webhooks")]
pub(crate) async fn list_webhooks(state: web::Data<State>) -> Result<Json<WebhookList>, ApiError> {
    let webhooks = blocking(move || delivery_statuses(&*state.store)).await?;
    Ok(Json(WebhookList { webhooks }))
}

/// One webhook, and how its deliveries go.
#[utoipa::path(
    tag = "operation",
    params(("id" = String, Path, description = "Webhook")),
    responses((status = 200, body = Webhook, description = "The webhook"), NoSuchWebhook),
    security(("token" = ["admin"]))
)]
#[get("/v1/webhooks/{id}")]
pub(crate) async fn get_webhook(state: web::Data<State>, id: web::Path<String>) -> Result<Json<Webhook>, ApiError> {
    let id: WebhookId = id.parse()?;
    let status = blocking(move || delivery_status(&*state.store, state.store.webhook(&id)?)).await?;
    Ok(Json(status))
}

/// Creates a webhook: events from now on are posted to its URL, signed with the secret that this answer alone tells. Asked
/// again with the same key and content it gives the same answer, the secret included, so that none is lost on the way.
#[utoipa::path(
    tag = "operation",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and content give the same webhook again")),
    request_body = NewWebhook,
    responses(
        (status = 201, body = CreatedWebhook, description = "The webhook and its secret"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such hardware target, or the webhook that the key created is deleted"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is one of that name, or the key was used with other content"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid, or the URL is not allowed; `errors` names each place"),
    ),
    security(("token" = ["admin"]))
)]
#[post("/v1/webhooks")]
pub(crate) async fn create_webhook(
    state: web::Data<State>,
    request: HttpRequest,
    caller: Caller,
    Body(mut body): Body<NewWebhook>,
) -> Result<Answer<CreatedWebhook>, ApiError> {
    let key = idempotency_key(&request)?;
    let created = blocking(move || -> Result<_, ApiError> {
        body.url = state.targets.accept(&body.url)?;
        Ok(state.store.create_webhook(&body, &caller.name, key.as_deref())?)
    })
    .await?;
    Ok(Answer::created(&created.into()))
}

/// Deletes a webhook and its secret. A delivery under way may still arrive; none comes after it.
#[utoipa::path(
    tag = "operation",
    params(("id" = String, Path, description = "Webhook")),
    responses((status = 204, description = "Deleted"), NoSuchWebhook),
    security(("token" = ["admin"]))
)]
#[delete("/v1/webhooks/{id}")]
pub(crate) async fn delete_webhook(
    state: web::Data<State>,
    id: web::Path<String>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let id: WebhookId = id.parse()?;
    blocking(move || state.store.delete_webhook(&id, &caller.name)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a signed test delivery now, numbered 0, and answers what came back.
#[utoipa::path(
    tag = "operation",
    params(("id" = String, Path, description = "Webhook")),
    responses((status = 200, body = Pinged, description = "What came back"), NoSuchWebhook, (status = 508, body = Problem, content_type = "application/problem+json", description = "The request is itself a delivery of a webhook")),
    security(("token" = ["admin"]))
)]
#[post("/v1/webhooks/{id}/ping")]
pub(crate) async fn ping_webhook(
    state: web::Data<State>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<Json<Pinged>, ApiError> {
    let id: WebhookId = id.parse()?;
    if request.headers().contains_key(DELIVERY_HEADER) {
        return Err(ApiError::new(
            StatusCode::LOOP_DETECTED,
            Slug::WebhookLoop,
            "A webhook leads back to this server",
            format!("a delivery asks for a ping of {id}, which would ask for another: use another URL"),
        ));
    }
    let made = blocking(move || ping(&*state.store, &state.targets, &id)).await?;
    Ok(Json(Pinged {
        delivered: made.outcome() == Outcome::Delivered,
        status: made.status,
        error: made.error,
        duration_ms: made.duration.as_secs_f64() * 1e3,
    }))
}
