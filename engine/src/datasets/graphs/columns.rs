//! Which field of a line holds what, and what operators of graphs are: `catalog/imports/nn-meter.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use lglp_sdk::strict;
use serde::Deserialize;

use crate::datasets::columns::{ColumnsError, LatencyUnit};
use crate::text;

/// The fields of a file of graphs.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphColumns {
    /// What people call the network.
    pub name: String,
    /// Its graph.
    pub graph: String,
    /// Its latency.
    pub latency: String,
    /// The unit of the latency.
    pub unit: LatencyUnit,
    /// What operators of graphs are, by their types there.
    pub operators: BTreeMap<String, Role>,
}

/// What an operator of a graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The network's input.
    Input,
    /// Values that are the same for every input.
    Constant,
    /// What passes its input on.
    Same,
    /// What computes with shapes alone.
    OfShapes,
    /// A convolution.
    Convolution,
    /// A convolution of each channel by itself.
    Depthwise,
    /// A product with weights.
    FullyConnected,
    /// What adds a number to each channel.
    Bias,
    /// Batch normalization.
    BatchNormalization,
    /// ReLU.
    Relu,
    /// ReLU up to 6.
    Relu6,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// Softmax over channels.
    Softmax,
    /// A sum of two.
    Add,
    /// A difference of two.
    Subtract,
    /// A product of two, value by value.
    Multiply,
    /// A pool of largest values.
    MaxPool,
    /// A pool of means.
    AveragePool,
    /// A mean over all places.
    Mean,
    /// The same values in another shape.
    Reshape,
    /// The same values in another order.
    Transpose,
    /// Channels of several, one behind the other.
    Concat,
    /// Channels in equal parts.
    Split,
    /// Zeros around.
    Pad,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    graph: String,
    latency: Option<String>,
    #[serde(default)]
    unit: LatencyUnit,
    operators: BTreeMap<String, Role>,
}

impl GraphColumns {
    /// Reads a file of columns. `latency` goes before the file's.
    ///
    /// # Errors
    /// Where it is no such file, or no field of latencies is named.
    pub fn load(path: &Path, latency: Option<&str>) -> Result<Self, ColumnsError> {
        let fail = |e: &dyn std::fmt::Display| ColumnsError::new(path, e);
        let text = text::read(path).map_err(|e| fail(&e))?;
        let file: File = strict::from_toml(&text).map_err(|e| fail(&e))?;
        let latency = latency.map(str::to_owned).or(file.latency);
        Ok(Self {
            name: file.name,
            graph: file.graph,
            latency: latency.ok_or_else(|| fail(&"no field of latencies; name one by --latency"))?,
            unit: file.unit,
            operators: file.operators,
        })
    }
}
