//! `/v1/audit` and `/v1/events`.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;

use super::State;
use super::extract::blocking;
use super::problem::ApiError;

/// A stretch of a log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Sequence number to start from.
    #[serde(default)]
    from: u64,
    /// Entries at most.
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    100
}

/// The audit log: hash-chained, append-only.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), params(Stretch), responses((status = 200, body = Vec<Object>, description = "Entries, oldest first")))]
#[get("/v1/audit")]
pub async fn audit(state: web::Data<State>, stretch: web::Query<Stretch>) -> Result<HttpResponse, ApiError> {
    let entries = blocking(move || state.store.audit(stretch.from, stretch.limit)).await?;
    Ok(HttpResponse::Ok().json(entries))
}

/// Checks the whole chain and returns its end.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), responses((status = 200, body = Object, description = "The end of the chain, which holds")))]
#[get("/v1/audit/head")]
pub async fn audit_head(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let head = blocking(move || state.store.verify_audit()).await?;
    Ok(HttpResponse::Ok().json(head))
}

/// What changed, for whoever waits for it.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), params(Stretch), responses((status = 200, body = Vec<Object>, description = "Entries, oldest first")))]
#[get("/v1/events")]
pub async fn events(state: web::Data<State>, stretch: web::Query<Stretch>) -> Result<HttpResponse, ApiError> {
    let events = blocking(move || state.store.events(stretch.from, stretch.limit)).await?;
    Ok(HttpResponse::Ok().json(events))
}
