//! `trtexec --exportTimes`: an array with one object a run, since TensorRT 5. `computeMs` is the time between two CUDA
//! events around the network, without transfers.

use lglp_sdk::plugin::Sample;
use serde::Deserialize;

use super::{Said, sample};

#[derive(Deserialize)]
struct Run {
    #[serde(rename = "computeMs")]
    compute_ms: f64,
}

pub fn read(said: &Said) -> Result<Vec<Sample>, String> {
    let runs: Vec<Run> =
        serde_json::from_str(said.file()?).map_err(|e| format!("the exported times are not those of trtexec: {e}"))?;
    if runs.is_empty() {
        return Err("trtexec exported no times; its output may say why".to_owned());
    }
    let numbered = runs.iter().enumerate();
    numbered
        .map(|(index, run)| sample(&format!("[{index}].computeMs"), run.compute_ms))
        .collect()
}
