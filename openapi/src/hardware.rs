//! Hardware targets: `/v1/hardware`.

use lglp_registry::HardwareName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{HardwareTarget, NewHardware, ReferenceNetwork, TimedNetwork};

/// Another name for a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameHardware {
    /// The name that it has from now on, which no other target has.
    #[schema(value_type = String, example = "xeon-1t", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub to: HardwareName,
    /// Why, for the audit log.
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Also where a version is in production, or a worker has not signed off.
    #[serde(default)]
    pub force: bool,
}

/// A list of targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HardwareList {
    /// The hardware targets that the caller may use, by name.
    pub hardware: Vec<HardwareTarget>,
}
