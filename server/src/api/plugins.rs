//! `GET /v1/plugins`.

use std::collections::BTreeMap;

use actix_web::web::Json;
use actix_web::{get, web};
use lglp_engine::host::{ComponentDescription, Isolation, PluginInfo};
use lglp_openapi::plugins::{Component, Plugin, PluginDescription, PluginList};

use super::State;

/// Every file of the plugin folder: its components with their parameters, or why it is unavailable.
#[utoipa::path(tag = "plugins", security(("token" = ["viewer"])), extensions(("x-lglp-reach" = json!("shared"))), responses((status = 200, body = PluginList, description = "Every file of the plugin folder")))]
#[get("/v1/plugins")]
pub(crate) async fn list_plugins(state: web::Data<State>) -> Json<PluginList> {
    let (quarantined, lost) = (state.host.quarantined(), state.host.lost_processes());
    let plugins = state
        .host
        .infos()
        .iter()
        .map(|info| plugin(info, &quarantined, &lost))
        .collect();
    Json(PluginList { plugins })
}

fn plugin(info: &PluginInfo, quarantined: &BTreeMap<String, String>, lost: &BTreeMap<String, u64>) -> Plugin {
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
    let lost_processes = description.as_ref().and_then(|told| lost.get(&told.name));
    let isolation = info.isolation.map(|isolation| match isolation {
        Isolation::InProcess => "in-process".to_owned(),
        Isolation::Process => "process".to_owned(),
    });
    Plugin {
        file: info.file.clone(),
        isolation,
        restricted: info.restricted.clone(),
        lost_processes: lost_processes.copied().unwrap_or_default(),
        sha256: info.sha256.clone(),
        quarantined: description
            .as_ref()
            .and_then(|told| quarantined.get(&told.name).cloned()),
        description,
        unavailable: info.unavailable.clone(),
    }
}
