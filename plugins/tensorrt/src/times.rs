//! Times of runs, as `trtexec --exportTimes` writes them.

use std::path::Path;

use lglp_sdk::plugin::{PluginError, Sample};
use serde::Deserialize;

use crate::settings::Latency;

/// One run. What else there is differs between versions, and is not needed.
#[derive(Deserialize)]
struct Run {
    /// When the kernels began, milliseconds since the first run.
    #[serde(rename = "startComputeMs")]
    start_ms: f64,
    /// Time of the kernels, milliseconds.
    #[serde(rename = "computeMs")]
    compute_ms: f64,
    /// Copy of the input, kernels, and copy of the output, milliseconds.
    #[serde(rename = "latencyMs")]
    latency_ms: f64,
}

/// The runs in a file. Up to TensorRT 8.4 those that warmed up are among them, and told apart only by when they began.
pub fn read(path: &Path, latency: Latency, warm_up_ms: u32) -> Result<Vec<Sample>, PluginError> {
    let text = std::fs::read_to_string(path)
        .map_err(|problem| PluginError::Failed(format!("trtexec ended well without exporting times: {problem}")))?;
    parse(&text, latency, warm_up_ms.into()).map_err(PluginError::Failed)
}

fn parse(text: &str, latency: Latency, warm_up_ms: f64) -> Result<Vec<Sample>, String> {
    let runs: Vec<Run> = serde_json::from_str(text)
        .map_err(|problem| format!("the times that trtexec exported cannot be read: {problem}"))?;
    if runs.is_empty() {
        return Err("trtexec exported times of no run at all".into());
    }
    let warm = runs.iter().filter(|run| run.start_ms >= warm_up_ms);
    let times = warm.map(|run| match latency {
        Latency::GpuCompute => run.compute_ms,
        Latency::Host => run.latency_ms,
    });
    let samples: Vec<Sample> = times.map(sample).collect::<Result<_, _>>()?;
    match samples.is_empty() {
        true => Err(format!(
            "trtexec exported no run that began after the {warm_up_ms} ms of warm-up"
        )),
        false => Ok(samples),
    }
}

fn sample(ms: f64) -> Result<Sample, String> {
    // A day is more than any run takes, and within what a number of nanoseconds holds.
    if !(ms > 0.0 && ms < 86_400_000.0) {
        return Err(format!("trtexec exported a run of {ms} ms"));
    }
    Ok(Sample {
        wall_ns: (ms * 1e6).round() as u64,
        cpu_ns: 0,
        energy_uj: 0,
    })
}
