//! What the plugin asks its helper, and what the helper answers: one line of JSON each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the helper is to do; the argument that it is started with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Answers a [`Device`]. `driver`: the driver's library, where it is not the system's `libcuda.so.1`.
    Probe { driver: Option<PathBuf>, device: u32 },
    /// Answers [`Found`]. `library`: TensorRT's library or the folder that it lies in.
    Find { library: Option<PathBuf> },
    /// Answers null when the file `plan` is there.
    Build(Build),
    /// Answers null when the plan is ready to run, then [`Times`] for each line with a number of runs, until its input ends.
    Serve(Serve),
}

/// An ONNX file to a plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    pub library: Option<PathBuf>,
    pub onnx: PathBuf,
    pub plan: PathBuf,
    pub timing_cache: Option<PathBuf>,
    pub workspace_mib: Option<u64>,
    pub optimization_level: Option<u8>,
    /// The flag of TensorRT 10, whose networks are not strongly typed.
    pub fp16: bool,
    /// 86 for 8.6: builds for that one, without any device. TensorRT-RTX alone can.
    pub compute_capability: Option<u16>,
}

/// A plan to run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    pub library: Option<PathBuf>,
    pub driver: Option<PathBuf>,
    pub device: u32,
    pub plan: PathBuf,
    pub cuda_graph: bool,
    /// Runs before those that count, milliseconds.
    pub warm_up_ms: u32,
}

/// A GPU with its driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// E.g. `NVIDIA GeForce RTX 4090`.
    pub name: String,
    /// The driver's version, e.g. `580.95.05`; that of its CUDA where the system does not tell, e.g. `CUDA 13.0`.
    pub driver: String,
    /// E.g. `8.9`.
    pub compute_capability: String,
}

/// A TensorRT library that can be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// E.g. `10.3.0`, or `RTX 1.7.1`.
    pub version: String,
    /// Whether precision is what the network says, and no flag.
    pub strongly_typed: bool,
}

/// Nanoseconds of runs in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// From the first kernel's turn to the last one's end.
    pub gpu_compute_ns: Vec<u64>,
    /// With the copies of input and output.
    pub host_ns: Vec<u64>,
}
