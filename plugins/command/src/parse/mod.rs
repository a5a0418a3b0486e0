//! What programs answer, in the formats that are known here.

mod openvino;
mod samples;
mod tflite;
mod trtexec;

use std::collections::BTreeMap;

use lglp_sdk::plugin::{PluginError, Sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use samples::{Answer as SamplesAnswer, facts};

/// A format of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// lglp's own: `{"samples": [{"wall_ms": 1.2}], "device": "..."}`, the last JSON object on the standard output, or
    /// in `{output}`.
    #[default]
    Samples,
    /// What `trtexec --exportTimes={output}` writes.
    TrtexecTimes,
    /// What `benchmark_app -json_stats` writes.
    OpenvinoReport,
    /// What TFLite's `benchmark_model` prints.
    TfliteLog,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Said {
    pub stdout: String,
    pub stderr: String,
    /// What it wrote to `{output}`.
    pub output: Option<String>,
}

/// What was read in it.
#[derive(Debug)]
pub struct Answer {
    /// Timed runs, one at least.
    pub samples: Vec<Sample>,
    /// What the program says of itself, in the format's own place for it: `runtime`, `version`, `device`...
    pub facts: BTreeMap<String, String>,
}

impl Format {
    /// Reads an answer.
    ///
    /// # Errors
    /// `Failed`, naming the place at fault and what was expected there.
    pub fn read(self, said: &Said) -> Result<Answer, PluginError> {
        let read = match self {
            Self::Samples => samples::read(said),
            Self::TrtexecTimes => trtexec::read(said).map(Answer::of),
            Self::OpenvinoReport => openvino::read(said).map(Answer::of),
            Self::TfliteLog => tflite::read(said).map(Answer::of),
        };
        read.map_err(PluginError::Failed)
    }
}

impl Answer {
    fn of(samples: Vec<Sample>) -> Self {
        Self {
            samples,
            facts: BTreeMap::new(),
        }
    }
}

impl Said {
    /// What was written to `{output}`, for formats that are files.
    fn file(&self) -> Result<&str, String> {
        self.output.as_deref().ok_or_else(|| {
            format!(
                "the program ended well without writing the file that it was to; its last line: {}",
                self.last_line()
            )
        })
    }

    /// The last line that it printed.
    fn last_line(&self) -> &str {
        let mut lines = self.stdout.lines().chain(self.stderr.lines());
        shortened(lines.rfind(|line| !line.trim().is_empty()).unwrap_or("none").trim())
    }
}

/// The beginning of a text that goes into a message.
pub fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// A sample of an elapsed time in milliseconds, told at `place`.
fn sample(place: &str, wall_ms: f64) -> Result<Sample, String> {
    Ok(Sample {
        wall_ns: nanoseconds(place, wall_ms)?,
        cpu_ns: 0,
        energy_uj: 0,
    })
}

/// Nanoseconds of a time in milliseconds. Less than a nanosecond, and a day or more, are mistakes.
fn nanoseconds(place: &str, ms: f64) -> Result<u64, String> {
    if ms.is_finite() && (1e-6..8.64e7).contains(&ms) {
        return Ok((ms * 1e6).round() as u64);
    }
    Err(format!(
        "{place} is {ms}; expected milliseconds, more than 0 and less than a day"
    ))
}
