//! `benchmark_app -json_stats -latency_percentile 50`: its report has no single runs, so their median is the sample. The program
//! in Python writes a text of two decimals, under another name for every other percentile; the one in C++ writes a number, under
//! the same name for all of them.

use serde_json::{Map, Value};

use super::{Answer, Said, shortened};

const RESULTS: &str = "/execution_results";

/// Where Python has the median.
const PYTHON: &str = "latency (ms)";

/// Where C++ has any percentile, the median or not.
const CPP: &str = "latency_median";

/// Where C++ says which one that is.
const CPP_PERCENTILE: &str = "percentile_boundary";

pub(super) fn read(said: &Said) -> Result<Answer, String> {
    let report: Value =
        serde_json::from_str(said.file()?).map_err(|e| format!("the report of benchmark_app is not JSON: {e}"))?;
    let results = report.pointer(RESULTS).and_then(Value::as_object);
    let results = results.ok_or_else(|| format!("the report of benchmark_app has no {RESULTS}"))?;
    if let Some(error) = results.get("error") {
        let error = error.to_string();
        return Err(format!("benchmark_app reports {RESULTS}/error: {}", shortened(&error)));
    }
    let (name, told) = median(results).ok_or_else(|| without_median(results))?;
    let place = format!("{RESULTS}/{name}");
    let (ms, resolution_ms) = milliseconds(told).ok_or_else(|| {
        let told = told.to_string();
        let told = shortened(&told);
        format!("{place} in the report of benchmark_app is {told}; expected milliseconds")
    })?;
    Answer::rounded(&place, ms, resolution_ms)
}

fn median(results: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let percentile = results.get(CPP_PERCENTILE).and_then(Value::as_f64);
    let cpp = results.get(CPP).filter(|_| percentile == Some(50.0));
    let python = || results.get(PYTHON).map(|told| (PYTHON, told));
    cpp.map(|told| (CPP, told)).or_else(python)
}

fn without_median(results: &Map<String, Value>) -> String {
    let names: Vec<&str> = results.keys().map(String::as_str).collect();
    let names = names.join(", ");
    format!(
        "the report of benchmark_app has no median: expected {PYTHON:?}, or {CPP:?} with {CPP_PERCENTILE:?} 50, as it writes with \
         -latency_percentile 50; {RESULTS} has {}",
        shortened(&names)
    )
}

/// The milliseconds, and what they are rounded to: the last decimal of a text, and nothing in a number.
fn milliseconds(told: &Value) -> Option<(f64, f64)> {
    if let Some(ms) = told.as_f64() {
        return Some((ms, 0.0));
    }
    let text = told.as_str()?.trim();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let ms = text.parse().ok().filter(|_| digits(whole) && digits(decimals))?;
    Some((ms, 10f64.powi(-i32::try_from(decimals.len()).ok()?)))
}

#[cfg(test)]
mod tests {
    use lglp_sdk::program::Output;
    use serde_json::json;

    use super::*;

    /// Nanoseconds that are read in a report of these results, and what they are rounded to, milliseconds.
    fn told(results: &Value) -> Result<(u64, f64), String> {
        let printed = Output {
            stdout: String::new(),
            stderr: String::new(),
            arguments: Vec::new(),
        };
        let report = json!({ "cmd_options": { "niter": "20" }, "execution_results": results });
        let output = Some(report.to_string());
        let answer = read(&Said { printed, output })?;
        Ok((answer.samples[0].wall_ns, answer.resolution_ms))
    }

    /// Only Python's report was read; C++'s led to a hint at another option.
    #[test]
    fn both_programs_are_read() {
        let cpp = json!({ "execution_time": 64.1, "iterations_num": 20, "latency_avg": 3.3, "latency_max": 4.5, "latency_median": 3.204,
                          "latency_min": 3.1, "percentile_boundary": 50, "throughput": 311.5 });
        assert_eq!(told(&cpp), Ok((3_204_000, 0.0)));
        let python =
            json!({ "latency (ms)": "3.20", "avg latency": "3.31", "min latency": "3.10", "max latency": "4.50" });
        assert_eq!(told(&python), Ok((3_200_000, 0.01)));
        assert_eq!(
            told(&json!({ "latency (ms)": "0.00" })),
            Ok((0, 0.01)),
            "a network as small as the probe"
        );
    }

    #[test]
    fn another_statistic_than_the_median_is_refused_by_what_there_is() {
        for (results, said) in [
            (
                json!({ "latency (90 percentile) (ms)": "3.20", "avg latency": "3.31" }),
                "/execution_results has avg latency, latency (90 percentile) (ms)",
            ),
            (
                json!({ "latency_median": 3.2, "percentile_boundary": 90 }),
                "has latency_median, percentile_boundary",
            ),
            (json!({ "latency_median": 3.2 }), "\"percentile_boundary\" 50"),
            (json!({ "throughput": "311.5" }), "/execution_results has throughput"),
            (
                json!({ "latency (ms)": "3.20", "error": "Device with \"GPU\" name is not registered" }),
                r#"/execution_results/error: "Device with \"GPU\" name is not"#,
            ),
            (json!({ "latency (ms)": "nan" }), "is \"nan\"; expected milliseconds"),
            (json!({ "latency (ms)": "3,20" }), "is \"3,20\"; expected milliseconds"),
            (
                json!({ "latency_median": 0.0, "percentile_boundary": 50 }),
                "more than 0",
            ),
            (json!(null), "has no /execution_results"),
        ] {
            let refused = told(&results).expect_err("no median");
            assert!(refused.contains(said), "{results}: {refused}");
        }
    }
}
