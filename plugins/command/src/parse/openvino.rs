//! `benchmark_app -json_stats -latency_percentile 50`: its report has no single runs, so their median is the sample.

use lglp_sdk::plugin::Sample;
use serde_json::Value;

use super::{Said, sample};

/// Where the report has the latency; a text from Python, a number from C++.
const PLACE: &str = "/execution_results/latency (ms)";

pub fn read(said: &Said) -> Result<Vec<Sample>, String> {
    let report: Value =
        serde_json::from_str(said.file()?).map_err(|e| format!("the report of benchmark_app is not JSON: {e}"))?;
    let told = report.pointer(PLACE);
    let latency = told.and_then(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok()));
    let latency = latency.ok_or_else(|| match told {
        Some(told) => format!("{PLACE} in the report of benchmark_app is {told}; expected milliseconds"),
        None => format!("the report of benchmark_app has no {PLACE}; is -api sync among the arguments?"),
    })?;
    Ok(vec![sample(PLACE, latency)?])
}
