//! Plugins: `GET /v1/plugins`, `POST /v1/plugins/rescan`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Every file of the plugin folder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    /// One entry for each file, also where it cannot be used.
    pub plugins: Vec<Plugin>,
}

/// One file of the plugin folder, usable or not.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    /// The file's name within the plugin folder.
    pub file: String,
    /// The digest of the file, which is the plugin's revision; empty where the file cannot be read.
    pub sha256: String,
    /// Null where the plugin is unavailable.
    pub description: Option<PluginDescription>,
    /// Why it is unavailable; null where it is not.
    pub unavailable: Option<String>,
    /// `process`: it runs in processes of its own. `in-process`: it runs in the server's. Null where the file cannot be read.
    #[serde(default)]
    #[schema(example = "process")]
    pub isolation: Option<String>,
    /// What its processes are restricted by, for people; empty where it runs in the server's process.
    #[serde(default)]
    #[schema(example = json!(["memory 4096 MiB", "processors 1", "landlock", "seccomp"]))]
    pub restricted: Vec<String>,
    /// How many of its processes were lost in calls since the server began.
    #[serde(default)]
    pub lost_processes: u64,
    /// Why it is asked nothing for now: a call into it has not come back in time, or calls end its processes again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
}

/// What came of looking at the plugin folder anew.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rescanned {
    /// Files that are new, or that another build lies under: what recipes name is that from now on. Versions go on with the builds
    /// that they were fitted with.
    #[schema(example = json!(["my_encoder.so"]))]
    pub taken_up: Vec<String>,
    /// Files that are there no more.
    pub gone: Vec<String>,
    /// Files that cannot be used, or not before the next start, and why; a former build of the name goes on.
    pub left: BTreeMap<String, String>,
    /// Of what was taken up, files with components that could not be checked, which are named with the reason: such that need
    /// parameters, or have no network to be tried on.
    pub unchecked: BTreeMap<String, String>,
}

/// How to look at the plugin folder anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RescanQuery {
    /// Take up what is new without checking whether it keeps to the contract of plugins: it was checked elsewhere, or would take
    /// too long.
    pub unchecked: bool,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PluginDescription {
    /// The plugin's name.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// What it is for, in short, for people.
    pub summary: String,
    /// What it provides to recipes and hardware targets.
    pub components: Vec<Component>,
}

/// An encoder, feature extractor, regressor or runtime.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// `encoder`, `feature-extractor`, `regressor` or `runtime`.
    #[schema(example = "regressor")]
    pub kind: String,
    /// Its name; no two usable components of one kind have the same.
    pub name: String,
    /// What it does, in short, for people.
    pub summary: String,
    /// Version of the fitted state that it writes; 0 where it has none.
    pub state_version: u32,
    /// JSON Schema of its parameters.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
}
