//! Search spaces: `GET /v1/spaces`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every search space of the server, whole.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpaceList {
    /// As in `catalog/spaces/*.toml`: name, title, choices, blocks, constraints, network.
    #[schema(value_type = Vec<Object>)]
    pub spaces: Vec<serde_json::Value>,
}
