//! Search spaces: `/v1/spaces`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Every search space of the server, whole.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpaceList {
    /// As in `catalog/spaces/*.toml`: name, title, choices, blocks, constraints, network.
    #[schema(value_type = Vec<Object>)]
    pub spaces: Vec<serde_json::Value>,
}

/// Architectures that are drawn at once at most, in each of both ways.
pub const MOST_SAMPLED: usize = 10_000;

/// Which architectures to draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SampleQuery {
    /// Draws that cover every pair of depth and resolution equally often, up to 10,000; 1 without it.
    #[param(default = 1, maximum = 10000)]
    pub count: usize,
    /// Further draws, in proportion to depth times resolution, up to 10,000; none without it.
    #[param(default = 0, maximum = 10000)]
    pub weighted: usize,
    /// The same seed gives the same architectures; more of them begin with the same ones. 0 without it.
    #[param(default = 0)]
    pub seed: u64,
}

impl Default for SampleQuery {
    fn default() -> Self {
        Self {
            count: 1,
            weighted: 0,
            seed: 0,
        }
    }
}

/// Architectures that were drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// The search space.
    #[schema(example = "mobilenetv3")]
    pub space: String,
    /// The seed that they were drawn by.
    pub seed: u64,
    /// In canonical text, each once; fewer than were asked for where a space has no more.
    pub architectures: Vec<String>,
}
