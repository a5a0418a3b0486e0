//! `GET /healthz` and `GET /readyz`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use lglp_registry::HardwareName;

use super::State;

/// Whether the process answers.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Alive")))]
#[get("/healthz")]
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Whether production is answered: loading has ended, and of the targets that have a version in production one at least is loaded.
/// `unavailable` says why others are not, and `writes`, where it is there, why the registry takes no writes at the moment, as on a full
/// disk: predictions go on then. `quarantined` names plugins and versions that do not answer. A server that asks for tokens says
/// here, where it asks for none, no more than whether something is wrong (`degraded`); its log says what.
#[utoipa::path(tag = "operation", security(()), responses((status = 200, description = "Ready"), (status = 503, description = "Still loading, or nothing in production can be loaded")))]
#[get("/readyz")]
pub(crate) async fn readyz(state: web::Data<State>) -> HttpResponse {
    let Some(failed) = state.loaded.get() else {
        return HttpResponse::ServiceUnavailable().json(serde_json::json!({ "status": "loading models" }));
    };
    let (loaded, missing) = state.serving.production();
    // Since the server started production may have moved, or been mended.
    let why = |name: &HardwareName| {
        failed
            .get(name.as_str())
            .map_or("it is not loaded", String::as_str)
            .to_owned()
    };
    let unavailable: BTreeMap<String, String> = missing.iter().map(|name| (name.to_string(), why(name))).collect();
    let serves = !loaded.is_empty() || missing.is_empty();
    let store = state.store.clone();
    // It asks the disk, which may take its time.
    let writable = web::block(move || store.check_writable().map_err(|error| error.to_string()));
    let stopped = match writable.await {
        Ok(writable) => writable.err(),
        Err(cut_off) => Some(cut_off.to_string()),
    };
    let mut quarantined = state.host.quarantined();
    quarantined.extend(state.serving.quarantined());
    let status = if serves {
        "ready"
    } else {
        "nothing in production can be loaded"
    };
    let mut answer = if serves {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    if state.access.asks_for_tokens() {
        let degraded = !unavailable.is_empty() || stopped.is_some() || !quarantined.is_empty();
        return answer.json(serde_json::json!({ "status": status, "degraded": degraded }));
    }
    let mut said = serde_json::json!({ "status": status, "unavailable": unavailable });
    if let Some(stopped) = stopped {
        said["writes"] = stopped.into();
    }
    if !quarantined.is_empty() {
        said["quarantined"] = serde_json::json!(quarantined);
    }
    answer.json(said)
}
