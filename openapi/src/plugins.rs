//! Plugins: `GET /v1/plugins`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every file of the plugin folder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    pub plugins: Vec<Plugin>,
}

/// One file of the plugin folder, usable or not.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    pub file: String,
    /// The plugin's revision.
    pub sha256: String,
    /// Null where the plugin is unavailable.
    pub description: Option<PluginDescription>,
    /// Why it is unavailable; null where it is not.
    pub unavailable: Option<String>,
    /// Why it is asked nothing for now, where a call into it has not come back in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PluginDescription {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub components: Vec<Component>,
}

/// An encoder, feature extractor, regressor or runtime.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Component {
    #[schema(example = "regressor")]
    pub kind: String,
    pub name: String,
    pub summary: String,
    pub state_version: u32,
    /// JSON Schema of its parameters.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
}
