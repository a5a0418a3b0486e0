//! `GET /healthz` and `GET /readyz`.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, get, web};

use super::State;

/// Whether the process answers.
#[utoipa::path(tag = "operation", responses((status = 200, description = "Alive")))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Whether the production models are loaded.
#[utoipa::path(tag = "operation", responses((status = 200, description = "Ready"), (status = 503, description = "Still loading")))]
#[get("/readyz")]
pub async fn readyz(state: web::Data<State>) -> HttpResponse {
    if state.ready.load(Ordering::Acquire) {
        HttpResponse::Ok().json(serde_json::json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "loading models" }))
    }
}
