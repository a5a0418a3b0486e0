//! `GET /v1/plugins`.

use actix_web::{HttpResponse, get, web};
use lglp_openapi::plugins::PluginList;

use super::State;

/// Every file of the plugin folder: its components with their parameters, or why it is unavailable.
#[utoipa::path(tag = "plugins", security(("token" = ["viewer"])), responses((status = 200, body = PluginList, description = "Every file of the plugin folder")))]
#[get("/v1/plugins")]
pub(crate) async fn list_plugins(state: web::Data<State>) -> HttpResponse {
    let quarantined = state.host.quarantined();
    let plugins = state.host.infos().iter().map(|info| {
        let mut plugin = serde_json::json!(info);
        let name = info.description.as_ref().map(|description| &description.name);
        if let Some(reason) = name.and_then(|name| quarantined.get(name)) {
            plugin["quarantined"] = reason.as_str().into();
        }
        plugin
    });
    let plugins: Vec<_> = plugins.collect();
    HttpResponse::Ok().json(serde_json::json!({ "plugins": plugins }))
}
