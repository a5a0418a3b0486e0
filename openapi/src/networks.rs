//! Predictions of networks that are given as ONNX files: `POST /v1/{hardware}/predict` with a form.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Binary;

/// Networks to predict the latency of, or the energy: a form of several parts, as `curl -F network=@net.onnx` sends it.
#[derive(ToSchema)]
pub struct NetworksForm {
    /// 1 to 100 ONNX files, a part each; the file's name is told with its prediction. What a file computes is read, and not its weights,
    /// which may be left out.
    #[schema(value_type = Vec<Binary>, min_items = 1, max_items = 100)]
    pub network: Vec<Vec<u8>>,
    /// An alias or a version number; `production` where it is left out.
    #[schema(example = "production")]
    pub model: Option<String>,
    /// The share of intervals that should hold what is measured; 0.9 where it is left out.
    #[schema(minimum = 0.01, maximum = 0.999, example = 0.9)]
    pub coverage: Option<f64>,
    /// The shape of an input, a part each, such as `input=1x3x224x224`: for inputs that a file leaves open. An open batch is 1.
    #[schema(example = json!(["input=1x3x224x224"]))]
    pub shape: Option<Vec<String>>,
    /// `predict`, as where it is left out, or `refuse`: whether networks are predicted that have operators which the model was not
    /// fitted on.
    #[schema(example = "predict")]
    pub unknown_operators: Option<String>,
}

/// Networks to predict, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworksRequest {
    /// The files, each with its name.
    pub networks: Vec<(String, Vec<u8>)>,
    /// See [`NetworksForm::model`].
    pub model: Option<String>,
    /// See [`NetworksForm::coverage`].
    pub coverage: Option<f64>,
    /// See [`NetworksForm::shape`].
    pub shapes: Vec<String>,
    /// Whether networks of operators that the model was not fitted on are refused.
    pub refuse_unknown: bool,
}

/// What was read of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkRead {
    /// The name of its file.
    #[schema(example = "resnet50.onnx")]
    pub name: String,
    /// Multiply-accumulates of one input.
    #[schema(example = 4089184256u64)]
    pub macs: u64,
    /// Weights and biases.
    #[schema(example = 25530472)]
    pub parameters: u64,
    /// Operators, as a runtime executes them.
    #[schema(example = 73)]
    pub operators: usize,
    /// The architecture of the model's space that it is, in canonical text, and is predicted as; left out where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Operators that the model was not fitted on, those of the largest share first; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_operators: Vec<UnknownOperator>,
}

/// Operators of one kind that a model was not fitted on: what they take is a guess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnknownOperator {
    /// Kind, kernel, stride and activation.
    #[schema(example = "convolution 3x3, relu")]
    pub operator: String,
    /// How many of them the network has.
    #[schema(example = 13)]
    pub count: usize,
    /// Their share of its multiply-accumulates, 0 to 1.
    #[schema(example = 0.45)]
    pub macs_share: f64,
    /// Their share of the prediction, 0 to 1.
    #[schema(example = 0.4)]
    pub share: f64,
}
