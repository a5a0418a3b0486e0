//! Model versions and aliases: `/v1/{hardware}/models`, `/v1/{hardware}/aliases`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Alias, Golden, Imported, NewVersion, PluginUse, Quantity, Version};

use crate::gates::Forecast;

/// The versions of a hardware target, oldest first, and where its aliases point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    /// Every version, whole.
    pub versions: Vec<Version>,
    /// Every alias of the hardware target.
    pub aliases: Vec<Alias>,
}

/// Where to move an alias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAlias {
    /// The version it shall point at.
    pub version: u32,
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who moves it; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
    /// Moves `production` although its gate refuses: needs the role admin and a reason.
    #[serde(default)]
    pub force: bool,
}

/// What moving an alias answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum MoveAnswer {
    /// Where the alias points now.
    Moved(Alias),
    /// What would have happened: the answer to `dry_run`.
    Forecast(Forecast),
}

/// Going back to the version that an alias pointed at before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who goes back; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}
