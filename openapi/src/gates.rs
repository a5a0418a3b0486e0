//! What a version must have shown before it goes into production: `/v1/{hardware}/gate`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Forecast, Gate, GateRules, RuleOutcome, Verdict};

/// The rules that a gate shall have, whole: those left out are gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetGate {
    /// The rules from now on; an empty object asks nothing of a version.
    pub rules: GateRules,
    /// For the audit log.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub reason: String,
    /// Who sets them; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}
