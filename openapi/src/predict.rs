//! The main call: `POST /v1/{hardware}/predict`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Architectures to predict the latency of, or the energy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictRequest {
    /// The search space; may be left out, the model knows its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "mobilenetv3")]
    pub space: Option<String>,
    /// 1 to 10,000 architectures: each `{"resolution", "blocks"}`, or the Once-for-All form `{"r", "d", "ks", "e"}`, or
    /// canonical text.
    #[schema(value_type = Vec<ArchitectureForm>, min_items = 1, max_items = 10000)]
    pub architectures: Vec<serde_json::Value>,
    /// An alias or a version number; `production` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ModelName>, example = "production")]
    pub model: Option<serde_json::Value>,
    /// The share of intervals that should hold what is measured; 0.9 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.01, maximum = 0.999, example = 0.9)]
    pub coverage: Option<f64>,
}

/// An architecture as it may be written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ArchitectureForm {
    /// `{"resolution", "blocks"}`, or `{"r", "d", "ks", "e"}`; `GET /v1/spaces` tells which values a space has.
    Object(serde_json::Map<String, serde_json::Value>),
    /// Canonical text.
    Text(String),
}

/// What names a version.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ModelName {
    Version(u32),
    /// An alias, or a version number in digits.
    Alias(String),
}

/// Predictions, in the order asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictResponse {
    pub hardware: String,
    pub space: String,
    /// `ms`, or `J` where the model predicts energy, which one in production never does.
    #[schema(example = "ms")]
    pub unit: String,
    /// The version that the request names; it made every prediction that names no other.
    pub model: PredictingModel,
    /// The version that answers a share of the requests for `production`; left out where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<PredictingCanary>,
    pub predictions: Vec<Prediction>,
}

/// The version that predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictingModel {
    pub version: u32,
    /// SHA-256 of the version's content.
    pub digest: String,
    /// The recipe that it was fitted by.
    pub recipe: String,
}

/// The version that answers a share of the architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictingCanary {
    pub version: u32,
    /// SHA-256 of the version's content.
    pub digest: String,
    /// The recipe that it was fitted by.
    pub recipe: String,
    /// Of the architectures, by their digests; above 0, up to 1.
    #[schema(example = 0.1)]
    pub share: f64,
}

/// One prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    /// Latency of one batch of the hardware target's batch size, ms; left out where the model predicts energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 12.3)]
    pub latency_ms: Option<f64>,
    /// Energy of one such batch, joules; left out where the model predicts latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.4)]
    pub energy_j: Option<f64>,
    /// The version that predicted, where it is the canary; left out where it is that of `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Left out where the model was validated on too few rows to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<PredictionInterval>,
    /// In what the architecture lies outside of the model's training set; left out where it lies within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "48 layers; trained on 10 to 40")]
    pub outside_training_range: Option<String>,
}

/// An interval that holds what is measured with the given probability (split conformal prediction).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionInterval {
    /// In the answer's unit.
    pub low: f64,
    /// In the answer's unit.
    pub high: f64,
    #[schema(example = 0.9)]
    pub coverage: f64,
    /// Whether too few measurements were seen to be sure of the coverage; left out where there were enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}
