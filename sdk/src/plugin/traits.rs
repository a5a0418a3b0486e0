//! What a plugin author implements. One type per component, safe Rust throughout.
//!
//! Thread safety: the host calls methods that take `&self` from several threads at once. A panic is caught, becomes an
//! error with its message, and poisons that instance only: the host drops it and loads its state anew.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Design, Fit, LeftOut, Networks, PluginError, Rows, Sample, Shape, Sums, Tensor};
use crate::SearchSpace;

/// Architectures to numbers.
///
/// How many choices of each kind an architecture has:
/// ```
/// use lglp_sdk::SearchSpace;
/// use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// lglp_sdk::export_plugin! { summary: "Counts of choices", encoders: [Counts] }
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Parameters {
///     /// Choices above this one count as it.
///     #[serde(default = "eight")]
///     most: usize,
/// }
///
/// fn eight() -> usize {
///     8
/// }
///
/// struct Counts(Parameters);
///
/// impl Encoder for Counts {
///     const NAME: &'static str = "counts";
///     const SUMMARY: &'static str = "how often each choice is taken";
///     type Parameters = Parameters;
///
///     fn new(_space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
///         // What parameters make the host hold has a limit.
///         if parameters.most > 255 {
///             return Err(PluginError::InvalidParameters("most: expected 255 at most".into()));
///         }
///         Ok(Self(parameters))
///     }
///
///     fn shape(&self) -> Shape {
///         Shape { steps: 1, width: self.0.most + 1 }
///     }
///
///     fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
///         for (row, counts) in rows.iter().zip(out.chunks_exact_mut(self.0.most + 1)) {
///             row.iter().for_each(|choice| counts[usize::from(*choice).min(self.0.most)] += 1.0);
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Encoder: Send + Sync + Sized + 'static {
    /// Name in recipes; unique among the encoders of all plugins.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// Parameters as recipes write them. Use `#[serde(deny_unknown_fields)]` and give every field a default.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Prepares the encoding of one space.
    fn new(space: &SearchSpace, parameters: Self::Parameters) -> Result<Self, PluginError>;

    /// Shape of one encoded architecture; the same for all of them.
    fn shape(&self) -> Shape;

    /// Encodes `rows` into `out`, which holds `rows.count * shape().len()` zeros.
    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError>;
}

/// Operators of networks to numbers: for whatever depends on what a network does, not on the choices that led to it. Since minor
/// version 2 of the ABI.
///
/// Multiply-accumulates and bytes of weights of a network, in one step:
/// ```
/// use lglp_sdk::SearchSpace;
/// use lglp_sdk::plugin::{Networks, OperatorEncoder, PluginError, Shape};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// lglp_sdk::export_plugin! { summary: "Sizes of networks", operator_encoders: [Sizes] }
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Parameters {}
///
/// struct Sizes;
///
/// impl OperatorEncoder for Sizes {
///     const NAME: &'static str = "sizes";
///     const SUMMARY: &'static str = "multiply-accumulates and bytes of weights, in millions";
///     type Parameters = Parameters;
///
///     fn new(_space: &SearchSpace, _parameters: Parameters) -> Result<Self, PluginError> {
///         Ok(Self)
///     }
///
///     fn shape(&self, _operators: usize) -> Shape {
///         Shape { steps: 1, width: 2 }
///     }
///
///     fn encode(&self, networks: Networks<'_>, out: &mut [f32]) -> Result<(), PluginError> {
///         for (network, sizes) in networks.iter().zip(out.chunks_exact_mut(2)) {
///             sizes[0] = network.iter().map(|operator| operator.macs as f32 / 1e6).sum();
///             sizes[1] = network.iter().map(|operator| operator.weight_bytes as f32 / 1e6).sum();
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait OperatorEncoder: Send + Sync + Sized + 'static {
    /// Name in recipes; unique among the encoders of all plugins.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// Parameters as recipes write them. Use `#[serde(deny_unknown_fields)]` and give every field a default.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Prepares the encoding of the networks of one space.
    fn new(space: &SearchSpace, parameters: Self::Parameters) -> Result<Self, PluginError>;

    /// Shape of one encoded network of so many operators at most.
    fn shape(&self, operators: usize) -> Shape;

    /// Encodes `networks` into `out`, which holds `networks.ends.len() * shape(networks.most).len()` zeros.
    fn encode(&self, networks: Networks<'_>, out: &mut [f32]) -> Result<(), PluginError>;
}

/// Encoded architectures to learned features.
///
/// Values in proportion to the largest that training saw:
/// ```
/// use lglp_sdk::plugin::{FeatureExtractor, Fit, PluginError, Tensor};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// lglp_sdk::export_plugin! { summary: "Values in proportion", extractors: [Proportions] }
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Parameters {}
///
/// /// The largest of each value, at least 1.
/// #[derive(Serialize, Deserialize)]
/// struct Proportions(Vec<f32>);
///
/// impl FeatureExtractor for Proportions {
///     const NAME: &'static str = "proportions";
///     const SUMMARY: &'static str = "values in proportion to the largest of training";
///     const STATE_VERSION: u32 = 1;
///     type Parameters = Parameters;
///
///     fn fit(_parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
///         let inputs = data.train.inputs;
///         let mut largest = vec![1.0; inputs.shape.len()];
///         for row in (0..inputs.rows).map(|row| inputs.row(row)) {
///             largest.iter_mut().zip(row).for_each(|(most, value)| *most = value.max(*most));
///         }
///         Ok(Self(largest))
///     }
///
///     fn save(&self) -> Result<Vec<u8>, PluginError> {
///         serde_json::to_vec(self).map_err(PluginError::failed)
///     }
///
///     fn load(_version: u32, state: &[u8]) -> Result<Self, PluginError> {
///         serde_json::from_slice(state).map_err(|error| PluginError::UnsupportedState(error.to_string()))
///     }
///
///     fn features(&self) -> usize {
///         self.0.len()
///     }
///
///     fn extract(&self, inputs: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
///         if inputs.shape.len() != self.0.len() {
///             return Err(PluginError::Failed(format!("rows of {} values, fitted to {}", inputs.shape.len(), self.0.len())));
///         }
///         for (row, features) in out.chunks_exact_mut(self.0.len()).enumerate() {
///             let values = inputs.row(row).iter().zip(&self.0);
///             features.iter_mut().zip(values).for_each(|(feature, (value, most))| *feature = value / most);
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait FeatureExtractor: Send + Sync + Sized + 'static {
    /// Name in recipes; unique among the feature extractors of all plugins.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// Version of the state that [`Self::save`] writes. Raise it whenever its meaning changes.
    const STATE_VERSION: u32;
    /// Parameters as recipes write them. Use `#[serde(deny_unknown_fields)]` and give every field a default.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Learns from measured latencies.
    fn fit(parameters: Self::Parameters, data: Fit<'_>) -> Result<Self, PluginError>;

    /// Everything needed to extract again, in an open, versioned format.
    fn save(&self) -> Result<Vec<u8>, PluginError>;

    /// Reads state that [`Self::save`] wrote under `version`, or refuses with [`PluginError::UnsupportedState`].
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError>;

    /// Number of features.
    fn features(&self) -> usize;

    /// Writes `inputs.rows * features()` values.
    fn extract(&self, inputs: Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError>;
}

/// Encoded architectures, or features, to latencies (or another target of the recipe).
///
/// The mean of what was measured, which every model has to beat:
/// ```
/// use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// lglp_sdk::export_plugin! { summary: "The mean", regressors: [Mean] }
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Parameters {}
///
/// struct Mean(f64);
///
/// impl Regressor for Mean {
///     const NAME: &'static str = "mean";
///     const SUMMARY: &'static str = "the mean of the training part";
///     const STATE_VERSION: u32 = 1;
///     type Parameters = Parameters;
///
///     fn fit(_parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
///         let targets = data.train.targets;
///         Ok(Self(targets.iter().sum::<f64>() / targets.len() as f64))
///     }
///
///     fn save(&self) -> Result<Vec<u8>, PluginError> {
///         serde_json::to_vec(&self.0).map_err(PluginError::failed)
///     }
///
///     fn load(_version: u32, state: &[u8]) -> Result<Self, PluginError> {
///         let mean = serde_json::from_slice(state);
///         mean.map(Self).map_err(|error| PluginError::UnsupportedState(error.to_string()))
///     }
///
///     fn predict(&self, _inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
///         targets.fill(self.0);
///         Ok(())
///     }
/// }
/// ```
pub trait Regressor: Send + Sync + Sized + 'static {
    /// Name in recipes; unique among the regressors of all plugins.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// Version of the state that [`Self::save`] writes. Raise it whenever its meaning changes.
    const STATE_VERSION: u32;
    /// Parameters as recipes write them. Use `#[serde(deny_unknown_fields)]` and give every field a default.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Learns from measured latencies.
    fn fit(parameters: Self::Parameters, data: Fit<'_>) -> Result<Self, PluginError>;

    /// Everything needed to predict again, in an open, versioned format.
    fn save(&self) -> Result<Vec<u8>, PluginError>;

    /// Reads state that [`Self::save`] wrote under `version`, or refuses with [`PluginError::UnsupportedState`].
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError>;

    /// Writes `inputs.rows` values, in the unit of the targets that it was fitted to.
    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError>;

    /// As [`Self::predict`], and writes beside each value how far what is measured lies from it, about, in the same unit. The host
    /// scales these spreads so that intervals hold; without them it takes the residuals of the validation part.
    ///
    /// # Errors
    /// [`PluginError::NotOffered`], as for all below: the host does without.
    fn predict_spread(
        &self,
        _inputs: Tensor<'_>,
        _targets: &mut [f64],
        _spreads: &mut [f64],
    ) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// Writes how far the difference between the predictions of each row and the first lies, about, from that of what they take in the
    /// mean, in the unit of the targets. It is less than their own spreads tell: measuring adds no noise, and of what is not known
    /// of both most cancels out.
    fn difference_spreads(&self, _inputs: Tensor<'_>, _spreads: &mut [f64]) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// What would have been predicted for each row of the fit, those of the training part first, had it not been among them. The
    /// host asks what it has just fitted.
    fn leave_one_out(&self) -> Result<Vec<LeftOut>, PluginError> {
        Err(PluginError::NotOffered)
    }

    /// Writes `inputs.rows * (inputs.shape.steps + 1)` values: the part of each prediction that each step of its input has, and
    /// at last what belongs to none. They sum to the prediction.
    fn contributions(&self, _inputs: Tensor<'_>, _out: &mut [f64]) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// How many numbers tell all of a part of a network that a prediction depends on, 64 at most; 0 where predictions do not follow from
    /// sums over parts: the stem, each searched layer, the head. The host asks of each part once, and predicts by look-ups then.
    /// Parts that do the same are one to it, wherever they stand: block and layer of their operators are 1, or 0 outside of the searched
    /// layers. It compares these predictions with those of [`Self::predict`] whenever it fits or loads a model.
    fn sums_len(&self) -> usize {
        0
    }

    /// Writes `parts.rows * sums_len()` numbers, of rows that are each a part of a network, with zeros behind its last operator.
    fn sums(&self, _parts: Tensor<'_>, _out: &mut [f64]) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// How many numbers tell all of a part that the spread of a prediction depends on, beside the others, 4096 at most; 0 where the host
    /// is to ask [`Self::predict_spread`].
    fn spread_sums_len(&self) -> usize {
        0
    }

    /// As [`Self::sums`], of `parts.rows * spread_sums_len()` numbers.
    fn spread_sums(&self, _parts: Tensor<'_>, _out: &mut [f32]) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// Writes a prediction for each network, and the spreads where they are asked for.
    fn predict_sums(
        &self,
        _sums: Sums<'_>,
        _targets: &mut [f64],
        _spreads: Option<&mut [f64]>,
    ) -> Result<(), PluginError> {
        Err(PluginError::NotOffered)
    }

    /// As [`Self::fit`], beginning with what fits on other targets taught: states of this version.
    fn fit_from(_parameters: Self::Parameters, _data: Fit<'_>, _priors: &[&[u8]]) -> Result<Self, PluginError> {
        Err(PluginError::NotOffered)
    }

    /// Which `count` candidates to measure next, as their numbers, beside those that were measured already: the ones from which a
    /// fit would learn most.
    fn choose(_parameters: Self::Parameters, _design: Design<'_>) -> Result<Vec<usize>, PluginError> {
        Err(PluginError::NotOffered)
    }
}

/// Something that runs ONNX networks on a device and times them.
///
/// A runtime that reads a network's bytes and runs nothing, to show the form:
/// ```
/// use std::time::Instant;
///
/// use lglp_sdk::plugin::{PluginError, Runtime, Sample};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// lglp_sdk::export_plugin! { summary: "Reading", runtimes: [Reading] }
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Settings {}
///
/// struct Reading;
///
/// impl Runtime for Reading {
///     const NAME: &'static str = "reading";
///     const SUMMARY: &'static str = "how long it takes to read a network's bytes";
///     type Parameters = Settings;
///     type Network = Vec<u8>;
///
///     fn open(_settings: Settings) -> Result<Self, PluginError> {
///         Ok(Self)
///     }
///
///     fn describe(&self) -> serde_json::Value {
///         serde_json::json!({ "device": "memory" })
///     }
///
///     fn load(&self, onnx: &[u8]) -> Result<Vec<u8>, PluginError> {
///         Ok(onnx.to_vec())
///     }
///
///     fn run(&self, network: &mut Vec<u8>) -> Result<Sample, PluginError> {
///         let begin = Instant::now();
///         std::hint::black_box(network.iter().map(|byte| u64::from(*byte)).sum::<u64>());
///         let wall_ns = begin.elapsed().as_nanos() as u64;
///         Ok(Sample { wall_ns: wall_ns.max(1), ..Sample::default() })
///     }
/// }
/// ```
pub trait Runtime: Send + Sync + Sized + 'static {
    /// Name in hardware targets; unique among the runtimes of all plugins.
    const NAME: &'static str;
    /// One line for people.
    const SUMMARY: &'static str;
    /// Settings as hardware targets state them. Use `#[serde(deny_unknown_fields)]` and give every field a default. Mark what
    /// names a program, a library, a file or an environment by `#[schemars(extend("x-lglp-machine" = true))]`: it comes from
    /// the owner of the machine then, never from a request. Mark all of it by `"x-lglp-elsewhere" = true` where networks take no
    /// memory of this machine: the host limits their batch otherwise.
    type Parameters: DeserializeOwned + JsonSchema;
    /// A network that is ready to run, its input included.
    type Network: Send + 'static;

    /// Opens the device, or says with [`PluginError::Unavailable`] what is missing.
    fn open(parameters: Self::Parameters) -> Result<Self, PluginError>;

    /// What was opened, as a JSON object: library version, device, threads, precision. Part of the fingerprint. Where elapsed times
    /// are rounded, `resolution_ms` is what to, and the host marks measurements of networks that are too short for that.
    fn describe(&self) -> serde_json::Value;

    /// Prepares an ONNX model. Its single input is filled with seeded random values.
    fn load(&self, onnx: &[u8]) -> Result<Self::Network, PluginError>;

    /// Runs once and times nothing but the run.
    fn run(&self, network: &mut Self::Network) -> Result<Sample, PluginError>;

    /// Runs to ask [`Self::run_many`] for at a time: 1 where a call costs nothing beside its runs, more where each has a price
    /// of its own, such as the start of a program.
    fn runs_at_once(&self) -> usize {
        1
    }

    /// Runs about `runs` times in a row, once at least; a sample for each run. To be written where many runs at once are
    /// cheaper than each alone.
    fn run_many(&self, network: &mut Self::Network, runs: usize) -> Result<Vec<Sample>, PluginError> {
        (0..runs).map(|_| self.run(network)).collect()
    }
}
