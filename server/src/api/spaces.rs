//! `GET /v1/spaces`.

use actix_web::web::Json;
use actix_web::{get, web};
use lglp_openapi::spaces::SpaceList;

use super::State;

/// Every search space of this server.
#[utoipa::path(tag = "spaces", security(("token" = ["viewer"])), extensions(("x-lglp-reach" = json!("shared"))), responses((status = 200, body = SpaceList, description = "Every search space")))]
#[get("/v1/spaces")]
pub(crate) async fn list_spaces(state: web::Data<State>) -> Json<SpaceList> {
    let spaces = state.spaces.iter().map(|space| serde_json::json!(**space)).collect();
    Json(SpaceList { spaces })
}
