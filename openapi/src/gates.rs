//! What a version must have shown before it goes into production: `/v1/{hardware}/gate`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rules over the newest validation report of the version that is to be promoted. A rule that is left out is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRules {
    /// Architectures that were measured, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 50)]
    pub min_n: Option<u32>,
    /// Mean absolute percentage error at most, %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 5.0)]
    pub max_mape: Option<f64>,
    /// Spearman's rank correlation at least, -1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.98)]
    pub min_spearman: Option<f64>,
    /// Share of measurements within the prediction's interval at least, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.8)]
    pub min_coverage: Option<f64>,
    /// Age of the report at most, hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 168.0)]
    pub max_age_hours: Option<f64>,
    /// How much larger the MAPE may be than that of production on the same architectures, % of the latter; below 0 it must
    /// be smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 10.0)]
    pub max_regression: Option<f64>,
}

/// The gate of a hardware target. Its generation is also its `ETag`; 0 where none was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    /// The rules; empty where none was set.
    pub rules: GateRules,
    /// How often the rules were set.
    pub generation: u64,
    /// When the rules were set last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_at: String,
    /// Who set them last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_by: String,
}

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

/// What a gate says of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Whether every rule holds.
    pub passed: bool,
    /// The number of the report it was judged by.
    pub validation: Option<u32>,
    /// What each rule that is set says.
    pub rules: Vec<RuleOutcome>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleOutcome {
    /// The rule's name, as among the gate's rules.
    #[schema(example = "max_mape")]
    pub rule: String,
    /// The bound that the gate sets, in the rule's unit.
    pub bound: f64,
    /// What the rule looks at; null where the report does not tell.
    pub value: Option<f64>,
    /// Whether the rule holds.
    pub passed: bool,
    /// Figure and bound, or why there is no figure, for people.
    #[schema(example = "MAPE, %: 7.312, at most 5 is asked")]
    pub detail: String,
}

/// What a move of an alias would do now: the answer to `dry_run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Forecast {
    /// Whether the alias would move.
    pub moves: bool,
    /// The version it points at now; null where it does not exist.
    pub from: Option<u32>,
    /// The version it would point at.
    pub to: u32,
    /// The generation it has now; 0 where it does not exist.
    pub generation: u64,
    /// What the gate says; null where there is none.
    pub verdict: Option<Verdict>,
    /// Whether a gate that refuses would be overruled.
    pub forced: bool,
}
