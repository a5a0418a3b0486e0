//! `GET /healthz` and `GET /readyz`.

use actix_web::{HttpResponse, get, web};

use super::State;

/// Whether the process answers.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Alive")))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Whether loading the production models has ended; `unavailable` says why some could not be loaded, and `writes`, where it
/// is there, why the registry takes no more writes: predictions go on then.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Ready"), (status = 503, description = "Still loading")))]
#[get("/readyz")]
pub async fn readyz(state: web::Data<State>) -> HttpResponse {
    match state.loaded.get() {
        Some(failed) => {
            let mut answer = serde_json::json!({ "status": "ready", "unavailable": failed });
            if let Err(stopped) = state.store.check_writable() {
                answer["writes"] = stopped.to_string().into();
            }
            HttpResponse::Ok().json(answer)
        }
        None => HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "loading models" })),
    }
}
