//! `GET /v1/plugins`, `POST /v1/plugins/rescan`.

use actix_web::web::Json;
use actix_web::{get, post, web};
use lglp_engine::host::{ComponentDescription, Isolation, PluginInfo, Rescan};
use lglp_openapi::plugins::{Component, Plugin, PluginDescription, PluginList, RescanQuery, Rescanned};
use lglp_openapi::problem::Problem;

use super::blocking::blocking;
use super::words::Query;
use super::{ApiError, State};

/// Every file of the plugin folder: its components with their parameters, or why it is unavailable.
#[utoipa::path(tag = "plugins", security(("token" = ["viewer"])), extensions(("x-lglp-reach" = json!("shared"))), responses((status = 200, body = PluginList, description = "Every file of the plugin folder")))]
#[get("/v1/plugins")]
pub(crate) async fn list_plugins(state: web::Data<State>) -> Json<PluginList> {
    let plugins = state.host.infos().iter().map(plugin).collect();
    Json(PluginList { plugins })
}

fn plugin(info: &PluginInfo) -> Plugin {
    let component = |component: &ComponentDescription| Component {
        kind: component.kind.as_str().to_owned(),
        name: component.name.clone(),
        summary: component.summary.clone(),
        state_version: component.state_version,
        parameters: component.parameters.clone(),
    };
    let description = info.description.as_ref().map(|told| PluginDescription {
        name: told.name.clone(),
        version: told.version.clone(),
        summary: told.summary.clone(),
        components: told.components.iter().map(component).collect(),
    });
    let isolation = info.isolation.map(|isolation| match isolation {
        Isolation::InProcess => "in-process".to_owned(),
        Isolation::Process => "process".to_owned(),
    });
    Plugin {
        file: info.file.clone(),
        isolation,
        restricted: info.restricted.clone(),
        lost_processes: info.lost_processes,
        sha256: info.sha256.clone(),
        quarantined: info.quarantined.clone(),
        description,
        unavailable: info.unavailable.clone(),
    }
}

/// Looks at the plugin folder anew: new files and new builds are taken up, without a restart, if they run in processes of their own
/// and keep to the contract of plugins. The answer comes once they are checked, which takes seconds for each.
#[utoipa::path(
    tag = "plugins",
    security(("token" = ["admin"])),
    params(RescanQuery),
    responses(
        (status = 200, body = Rescanned, description = "What came of it"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The plugin folder cannot be read"),
    )
)]
#[post("/v1/plugins/rescan")]
pub(crate) async fn rescan_plugins(
    state: web::Data<State>,
    query: Query<RescanQuery>,
) -> Result<Json<Rescanned>, ApiError> {
    let (host, spaces) = (state.host.clone(), state.spaces.clone());
    let RescanQuery { unchecked } = query.into_inner();
    let rescanned = blocking(move || {
        let spaces = (!unchecked).then(|| spaces.iter().map(|space| (**space).clone()).collect::<Vec<_>>());
        host.rescan(spaces.as_deref())
    });
    let Rescan {
        taken_up,
        gone,
        left,
        unchecked,
    } = rescanned.await?;
    if !taken_up.is_empty() || !gone.is_empty() {
        tracing::info!("plugins that are taken up: {taken_up:?}; gone: {gone:?}");
        // What was missing may be there now.
        state.serving.try_again();
    }
    Ok(Json(Rescanned {
        taken_up,
        gone,
        left,
        unchecked,
    }))
}
