//! What a prediction consists of: `POST /v1/{hardware}/explain`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::predict::{ArchitectureForm, ModelName, PredictingModel, Prediction, PredictionInterval};

/// An architecture whose prediction is to be explained.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The search space; may be left out, the model knows its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "mobilenetv3")]
    pub space: Option<String>,
    /// `{"resolution", "blocks"}`, or the Once-for-All form `{"r", "d", "ks", "e"}`, or canonical text.
    #[schema(value_type = ArchitectureForm)]
    pub architecture: serde_json::Value,
    /// An alias or a version number; `production` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ModelName>, example = "production")]
    pub model: Option<serde_json::Value>,
}

/// A prediction in parts, and what single changes would do to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The hardware target that the prediction is for.
    pub hardware: String,
    /// The search space of the architecture, which is the version's.
    pub space: String,
    /// Of all values: `ms`, or `J` where the model predicts energy.
    #[schema(example = "ms")]
    pub unit: String,
    /// What measured that which is predicted: the hardware target's runtime.
    #[schema(example = "onnxruntime")]
    pub runtime: String,
    /// Inputs that a network takes at once: the hardware target's; left out where that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub batch_size: Option<u64>,
    /// The version that made every prediction of the answer.
    pub model: PredictingModel,
    /// The architecture's canonical text.
    pub architecture: String,
    /// What is predicted of the architecture: the sum of the parts.
    pub prediction: Prediction,
    /// In the order in which they run. Their values and `rest` sum to the prediction.
    pub operators: Vec<OperatorPart>,
    /// The same, summed by layer of a searched block, in their order.
    pub layers: Vec<LayerPart>,
    /// What belongs to no operator.
    pub rest: f64,
    /// Architectures that differ in one choice, the one that saves most first.
    pub changes: Vec<SingleChange>,
}

/// What an operator takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperatorPart {
    /// `convolution`, `expand`, `depthwise`, `project`, `squeeze-excite`, `add`, `pointwise`, `pool`, `fully-connected`; `other` for what
    /// has no name.
    #[schema(example = "depthwise")]
    pub kind: String,
    /// From 1; 0 outside of the searched blocks.
    pub block: u32,
    /// Of the block, from 1; 0 outside of them.
    pub layer: u32,
    /// Side of the kernel; 0 where there is none.
    pub kernel: u32,
    /// 0 where there is no kernel.
    pub stride: u32,
    /// Channels of its input.
    pub channels_in: u32,
    /// Channels of its output.
    pub channels_out: u32,
    /// Height and width of the output, pixels.
    pub side: u32,
    /// Multiply-accumulates at batch 1.
    pub macs: u64,
    /// In the answer's unit.
    pub value: f64,
    /// Of the prediction; all sum to 1 with that of `rest`.
    pub share: f64,
}

/// What a layer takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LayerPart {
    /// From 1.
    pub block: u32,
    /// Of the block, from 1.
    pub layer: u32,
    /// In the answer's unit.
    pub value: f64,
    /// Of the prediction.
    pub share: f64,
}

/// An architecture that differs in one choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SingleChange {
    /// What is chosen otherwise, in words.
    #[schema(example = "kernel of layer 2 of block 3: 7 to 3")]
    pub change: String,
    /// Its canonical text.
    pub architecture: String,
    /// What is predicted less what would be, in the answer's unit; below 0 where the change costs.
    pub saving: f64,
    /// Where the saving lies in the mean of many measurements, with the same coverage as intervals of predictions; left out where
    /// there is none. It is narrower than those of the two: what is not known of both networks cancels out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving_interval: Option<PredictionInterval>,
    /// Why there is no interval of the saving; left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_saving_interval: Option<String>,
    /// What the same version predicts of it.
    pub prediction: Prediction,
}
