//! `GET /v1/plugins`.

use actix_web::{HttpResponse, get, web};
use lglp_openapi::plugins::PluginList;

use super::State;

/// Every file of the plugin folder: its components with their parameters, or why it is unavailable.
#[utoipa::path(tag = "plugins", security(("token" = ["viewer"])), responses((status = 200, body = PluginList, description = "Every file of the plugin folder")))]
#[get("/v1/plugins")]
pub async fn list_plugins(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "plugins": state.host.infos() }))
}
