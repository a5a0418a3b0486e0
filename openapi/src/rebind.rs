//! Binding versions to other builds of their plugins: `POST /v1/{hardware}/models/{version}/rebind`.

use lglp_registry::PluginUse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much the builds may differ.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebindRequest {
    /// How far a prediction may lie from that of the build which the version was fitted with, relative to it: from 0 to 0.001.
    #[serde(default = "usual_tolerance")]
    #[schema(example = 1e-9)]
    pub tolerance: f64,
}

/// The last digits of a double, which another order of additions changes.
fn usual_tolerance() -> f64 {
    1e-9
}

impl Default for RebindRequest {
    fn default() -> Self {
        let tolerance = usual_tolerance();
        Self { tolerance }
    }
}

/// The version that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rebound {
    /// Its number. It is promoted like any other.
    pub version: u32,
    /// Its digest.
    pub digest: String,
    /// The version that it is but for the builds of its plugins.
    pub rebound_from: u32,
    /// Architectures that both builds predicted.
    pub compared: usize,
    /// The largest relative difference among them.
    pub largest_difference: f64,
    /// What it is bound to now.
    pub plugins: Vec<PluginUse>,
}
