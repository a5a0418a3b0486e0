//! Measurements that are kept but not trained on: `/v1/{hardware}/exclusions`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::Exclusion;

/// Measurements that are to be excluded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclude {
    /// Marks on recorded measurements of the hardware target; all of them are set, or none.
    pub exclusions: Vec<Exclusion>,
    /// Who excludes them, for the audit log; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}

/// What was newly excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Excluded {
    /// Measurements that were not excluded before.
    pub excluded: usize,
}
