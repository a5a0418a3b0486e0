//! `GET /healthz` and `GET /readyz`.

use actix_web::{HttpResponse, get, web};

use super::State;

/// Whether the process answers.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Alive")))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Whether loading the production models has ended; `unavailable` says why some could not be loaded.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Ready"), (status = 503, description = "Still loading")))]
#[get("/readyz")]
pub async fn readyz(state: web::Data<State>) -> HttpResponse {
    match state.loaded.get() {
        Some(failed) => HttpResponse::Ok().json(serde_json::json!({ "status": "ready", "unavailable": failed })),
        None => HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "loading models" })),
    }
}
