//! Settings of a hardware target that is measured with TensorRT.

use std::path::PathBuf;
use std::time::Duration;

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a hardware target that is measured with TensorRT. How many inputs a network takes at once is lglp's own setting
/// `batch_size`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-lglp-elsewhere" = true))]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// How TensorRT is reached: by `trtexec`, the program that comes with it; by its `library`, which is libnvinfer 10 or 11 or
    /// TensorRT-RTX; `auto` takes trtexec where it is found, else the library.
    pub route: Route,
    /// The program `trtexec`, where it is not on `PATH`, nor in `/usr/src/tensorrt/bin` or `/opt/tensorrt/bin`.
    #[schemars(extend("x-lglp-machine" = true))]
    pub trtexec: Option<PathBuf>,
    /// The file of TensorRT's library, or the folder that has it and its ONNX parser, where the loader does not find them.
    #[schemars(extend("x-lglp-machine" = true))]
    pub library: Option<PathBuf>,
    /// The library of the NVIDIA driver, where it is not the system's `libcuda.so.1`.
    #[schemars(extend("x-lglp-machine" = true))]
    pub driver: Option<PathBuf>,
    /// Index of the GPU.
    pub device: u32,
    /// Precision that engines are built for. `fp32` is single, with TF32 where the device has it, as is TensorRT's default. `fp16`
    /// is half: a flag up to TensorRT 10, the network's own type in TensorRT 11 and TensorRT-RTX. `int8`, by trtexec up to
    /// TensorRT 10, has synthetic ranges: the latency is of use, the results are not.
    pub precision: Precision,
    /// The time of a run that counts: `gpu_compute`, from the first kernel's turn to the last one's end, or `host`, with the
    /// copies of input and output between machine and device.
    pub latency: Latency,
    /// Memory that a layer may use while it works, MiB; TensorRT's default is all that the device has.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub workspace: Option<u64>,
    /// How much time TensorRT spends on finding fast kernels, from 0 to 5; its own default is 3.
    #[schemars(range(min = 0, max = 5))]
    pub optimization_level: Option<u8>,
    /// Launches a network's kernels as one CUDA graph, so that launching them costs the processor nearly nothing.
    pub cuda_graph: bool,
    /// Runs before those that count, each time that measuring begins or goes on: milliseconds.
    #[schemars(range(min = 0, max = 60_000))]
    pub warm_up: u32,
    /// Runs that are measured in a row.
    #[schemars(range(min = 1, max = 10_000))]
    pub iterations: Option<usize>,
    /// Time that `trtexec` runs a network at least, seconds, however few runs were asked for.
    #[schemars(range(min = 0.0, max = 600.0))]
    pub duration: f64,
    /// Time after which building an engine is given up, seconds.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    pub build_limit: f64,
    /// Time after which measuring runs in a row is given up, seconds.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    pub run_limit: f64,
    /// Folder of the timing cache and of engines that were built before; `lglp/tensorrt` in the user's cache folder where none
    /// is given.
    #[schemars(extend("x-lglp-machine" = true))]
    pub cache: Option<PathBuf>,
    /// Engines that the folder keeps, the latest ones.
    #[schemars(range(min = 0, max = 100_000))]
    #[schemars(extend("x-lglp-machine" = true))]
    pub cached_engines: usize,
}

// Variants without documentation: the schema is then a list of names, and the message to who mistypes one tells them all.

/// How TensorRT is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Route {
    #[default]
    Auto,
    Trtexec,
    Library,
}

/// Precision that engines are built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Precision {
    #[default]
    Fp32,
    Fp16,
    Int8,
}

/// The time of a run that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Latency {
    #[default]
    GpuCompute,
    Host,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            route: Route::default(),
            trtexec: None,
            library: None,
            driver: None,
            device: 0,
            precision: Precision::default(),
            latency: Latency::default(),
            workspace: None,
            optimization_level: None,
            cuda_graph: false,
            warm_up: 200,
            iterations: None,
            duration: 0.0,
            build_limit: 1200.0,
            run_limit: 120.0,
            cache: None,
            cached_engines: 32,
        }
    }
}

impl Settings {
    /// Refuses what a schema lets through: numbers out of their range.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        let bad = |field: &str, value: String, allowed: &str| {
            Err(PluginError::InvalidParameters(format!(
                "{field} is {value}; allowed: {allowed}"
            )))
        };
        for (field, value) in [("build_limit", self.build_limit), ("run_limit", self.run_limit)] {
            if !(0.1..=86_400.0).contains(&value) {
                return bad(field, value.to_string(), "0.1 to 86400 s");
            }
        }
        if !(0.0..=600.0).contains(&self.duration) {
            return bad("duration", self.duration.to_string(), "0 to 600 s");
        }
        if self.warm_up > 60_000 {
            return bad("warm_up", self.warm_up.to_string(), "0 to 60000 ms");
        }
        match (self.iterations, self.workspace, self.optimization_level) {
            (Some(runs), ..) if !(1..=10_000).contains(&runs) => bad("iterations", runs.to_string(), "1 to 10000"),
            (_, Some(mib), _) if !(1..=1_048_576).contains(&mib) => {
                bad("workspace", mib.to_string(), "1 to 1048576 MiB")
            }
            (.., Some(level)) if level > 5 => bad("optimization_level", level.to_string(), "0 to 5"),
            _ => Ok(()),
        }
    }

    pub(crate) fn build_limit(&self) -> Duration {
        Duration::from_secs_f64(self.build_limit)
    }

    pub(crate) fn run_limit(&self) -> Duration {
        Duration::from_secs_f64(self.run_limit)
    }
}
