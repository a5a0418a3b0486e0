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
/// is there, why the registry takes no writes at the moment, as on a full disk: predictions go on then. `quarantined` names
/// plugins and versions that do not answer. A server that asks for tokens says here, where it asks for none, no more than whether
/// something is wrong (`degraded`); its log says what.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Ready"), (status = 503, description = "Still loading")))]
#[get("/readyz")]
pub async fn readyz(state: web::Data<State>) -> HttpResponse {
    match state.loaded.get() {
        Some(failed) => {
            let store = state.store.clone();
            // It asks the disk, which may take its time.
            let writable = web::block(move || store.check_writable().map_err(|error| error.to_string()));
            let stopped = match writable.await {
                Ok(writable) => writable.err(),
                Err(cut_off) => Some(cut_off.to_string()),
            };
            let mut quarantined = state.host.quarantined();
            quarantined.extend(state.serving.quarantined());
            if state.access.asks_for_tokens() {
                let degraded = !failed.is_empty() || stopped.is_some() || !quarantined.is_empty();
                return HttpResponse::Ok().json(serde_json::json!({ "status": "ready", "degraded": degraded }));
            }
            let mut answer = serde_json::json!({ "status": "ready", "unavailable": failed });
            if let Some(stopped) = stopped {
                answer["writes"] = stopped.into();
            }
            if !quarantined.is_empty() {
                answer["quarantined"] = serde_json::json!(quarantined);
            }
            HttpResponse::Ok().json(answer)
        }
        None => HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "loading models" })),
    }
}
