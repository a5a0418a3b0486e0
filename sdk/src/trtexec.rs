//! What TensorRT's `trtexec --exportTimes` writes: one object a run. Up to TensorRT 8.4 the runs that warmed up are among them, and
//! told apart only by when they began.

use serde::Deserialize;

use crate::plugin::Sample;
use crate::program::Output;

/// The warm-up of a `trtexec` that was asked for none, milliseconds.
const DEFAULT_WARM_UP_MS: f64 = 200.0;

/// A day is more than any run takes, and within what a number of nanoseconds holds.
const LONGEST_MS: f64 = 86_400_000.0;

/// One run. What else there is differs between versions, and is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Run {
    /// When the kernels began, milliseconds since the first run.
    #[serde(rename = "startComputeMs")]
    start_ms: f64,
    /// Time of the kernels, milliseconds.
    #[serde(rename = "computeMs")]
    pub compute_ms: f64,
    /// Copy of the input, kernels, and copy of the output, milliseconds.
    #[serde(rename = "latencyMs")]
    pub latency_ms: f64,
}

/// The runs after the warm-up that a `trtexec` has `exported`, one at least. Each sample is the `time` of a run, in milliseconds.
///
/// # Errors
/// A text for people, where the export is none, or has no such run, or one of a time that no run takes.
pub fn samples(exported: &str, output: &Output, time: impl Fn(&Run) -> f64) -> Result<Vec<Sample>, String> {
    let runs: Vec<Run> = serde_json::from_str(exported)
        .map_err(|problem| format!("the times that trtexec exported cannot be read: {problem}"))?;
    if runs.is_empty() {
        return Err("trtexec exported times of no run at all".into());
    }
    let warm_up_ms = warm_up_ms(output);
    let warm = runs.iter().filter(|run| run.start_ms >= warm_up_ms);
    let samples: Vec<Sample> = warm.map(|run| sample(time(run))).collect::<Result<_, _>>()?;
    match samples.is_empty() {
        true => Err(format!(
            "trtexec exported no run that began after the {warm_up_ms} ms of warm-up"
        )),
        false => Ok(samples),
    }
}

fn sample(ms: f64) -> Result<Sample, String> {
    if !(ms > 0.0 && ms < LONGEST_MS) {
        return Err(format!("trtexec exported a run of {ms} ms"));
    }
    Ok(Sample {
        wall_ns: (ms * 1e6).round() as u64,
        ..Sample::default()
    })
}

/// What the program says that it did is worth more than what it was asked for, which a script between may have changed.
fn warm_up_ms(output: &Output) -> f64 {
    let mut lines = output.stdout.lines().chain(output.stderr.lines()).rev();
    let mut arguments = output.arguments.iter().rev();
    let asked = || arguments.find_map(|argument| asked_ms(argument));
    lines.find_map(told_ms).or_else(asked).unwrap_or(DEFAULT_WARM_UP_MS)
}

/// From `[11/25/2026-00:00:00] [I] Warmup completed 221 queries over 200 ms`.
fn told_ms(line: &str) -> Option<f64> {
    let (_, rest) = line.split_once("Warmup completed ")?;
    let (_, rest) = rest.split_once(" queries over ")?;
    rest.split_once(" ms")?.0.parse().ok()
}

/// From `--warmUp=500`, which may stand within the script of a shell.
fn asked_ms(argument: &str) -> Option<f64> {
    let (_, rest) = argument.rsplit_once("--warmUp=")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of 9 ms that warm up, from 0 ms on, and of 5 ms after 500 ms.
    const EXPORTED: &str = r#"[
      { "startComputeMs" : 2.5, "computeMs" : 9, "latencyMs" : 10, "d2hMs" : 0 }
    , { "startComputeMs" : 300.5, "computeMs" : 9, "latencyMs" : 10, "d2hMs" : 0 }
    , { "startComputeMs" : 500, "computeMs" : 5, "latencyMs" : 6, "d2hMs" : 0 }
    , { "startComputeMs" : 505.1, "computeMs" : 5, "latencyMs" : 6, "d2hMs" : 0 }
    ]"#;

    fn read(exported: &str, stdout: &str, arguments: &[&str]) -> Result<Vec<u64>, String> {
        let output = Output {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        };
        let samples = samples(exported, &output, |run| run.compute_ms)?;
        Ok(samples.iter().map(|sample| sample.wall_ns).collect())
    }

    #[test]
    fn the_program_is_believed_before_its_arguments_and_these_before_the_default() {
        let timed = Ok(vec![5_000_000; 2]);
        let told = "[I] Warmup completed 7 queries over 200 ms\n[I] Warmup completed 9 queries over 500 ms\n[I] done\n";
        assert_eq!(read(EXPORTED, told, &["--warmUp=0"]), timed);
        assert_eq!(read(EXPORTED, "", &["--warmUp=0", "--warmUp=500"]), timed);
        assert_eq!(read(EXPORTED, "", &["-c", "trtexec --warmUp=500 --onnx=$1"]), timed);
        let after_200 = Ok(vec![9_000_000, 5_000_000, 5_000_000]);
        assert_eq!(read(EXPORTED, "Warmup completed", &["--warmUp=long"]), after_200);
    }

    #[test]
    fn what_is_no_export_or_has_no_run_after_the_warm_up_is_refused() {
        let refused = |exported: &str| read(exported, "", &["--warmUp=600"]).expect_err("no samples");
        assert!(refused(EXPORTED).contains("no run that began after the 600 ms"));
        assert!(refused("[\n]").contains("no run at all"));
        let without = EXPORTED.replace("startComputeMs", "startInMs");
        assert!(refused(&without).contains("missing field `startComputeMs`"));
        let late = EXPORTED.replace("505.1, \"computeMs\" : 5", "605.1, \"computeMs\" : 0");
        assert!(refused(&late).contains("a run of 0 ms"));
    }
}
