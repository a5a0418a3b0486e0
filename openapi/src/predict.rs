//! The main call: `POST /v1/{hardware}/predict`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::networks::NetworkRead;
use crate::problem::Fault;

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
    /// What becomes of the request where an architecture is faulty; `request` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
}

/// What a faulty architecture keeps from being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The whole request: 422, with the place of every fault.
    Request,
    /// That architecture alone: its prediction has `error`, the others are predicted.
    Item,
}

/// What is said of rows; of other bodies they say it themselves, and this is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// The search space; may be left out, the model knows its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// An alias or a version number; `production` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The share of intervals that should hold what is measured; 0.9 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0.01, maximum = 0.999)]
    pub coverage: Option<f64>,
    /// What becomes of the request where a row is faulty: `request`, which is refused then, or `item`, whose numbers are NaN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
}

/// An architecture as it may be written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ArchitectureForm {
    /// `{"resolution", "blocks"}`, or `{"r", "d", "ks", "e"}`; `GET /v1/spaces` tells which values a space has.
    Object(serde_json::Map<String, serde_json::Value>),
    /// Canonical text, or one of these objects as text: JSON, or what Python prints of it.
    Text(String),
}

/// What names a version.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ModelName {
    /// A version number.
    Version(u32),
    /// An alias, or a version number in digits.
    Alias(String),
}

/// Predictions, in the order asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictResponse {
    /// The hardware target that the predictions are for.
    pub hardware: String,
    /// The search space of the architectures, which is the model's.
    pub space: String,
    /// `ms`, or `J` where the model predicts energy, which one in production never does.
    #[schema(example = "ms")]
    pub unit: String,
    /// What measured that which is predicted: the hardware target's runtime.
    #[schema(example = "onnxruntime")]
    pub runtime: String,
    /// Inputs that a network takes at once, of which its latency or energy is: the hardware target's; left out where that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub batch_size: Option<u64>,
    /// The version that the request names; it made every prediction that names no other.
    pub model: PredictingModel,
    /// The version that answers a share of the requests for `production`; left out where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<PredictingCanary>,
    /// One for each architecture, or for each network.
    pub predictions: Vec<Prediction>,
}

/// The version that predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictingModel {
    /// Its number within the hardware target.
    pub version: u32,
    /// SHA-256 of the version's content.
    pub digest: String,
    /// The recipe that it was fitted by.
    pub recipe: String,
}

/// The version that answers a share of the architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictingCanary {
    /// Its number within the hardware target.
    pub version: u32,
    /// SHA-256 of the version's content.
    pub digest: String,
    /// The recipe that it was fitted by.
    pub recipe: String,
    /// Of the architectures, by their digests; above 0, up to 1.
    #[schema(example = 0.1)]
    pub share: f64,
}

/// One prediction, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    /// Latency of one batch of `batch_size` inputs, ms; left out where the model predicts energy.
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
    /// Left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<PredictionInterval>,
    /// Why there is no interval; left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "30 measurements held out, 97.5 % needs 39")]
    pub no_interval: Option<String>,
    /// In what the architecture lies outside of the model's training set; left out where it lies within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "48 layers; trained on 10 to 40")]
    pub outside_training_range: Option<String>,
    /// What was read of the file, where a network was sent; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkRead>,
    /// Why there is no prediction, where the request has `"on_error": "item"` and the architecture is faulty; all else is left out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
}

/// An interval that is to hold what is measured of so large a share of the architectures, as far as they are like those that were held out
/// of the fit: its ends are quantiles of their errors (conformal prediction), relative ones, or over the spread that the model tells
/// for each prediction. It is no promise for a single architecture, nor outside of what the model was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionInterval {
    /// In the answer's unit.
    pub low: f64,
    /// In the answer's unit.
    pub high: f64,
    /// The share that was asked for.
    #[schema(example = 0.9)]
    pub coverage: f64,
    /// Whether the ends rest on what is believed of errors more than on those that were seen: where a model tells spreads, and fewer
    /// than 50 measurements were held out. Left out otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}
