//! What programs answer, in the formats that are known here.

mod openvino;
mod samples;
mod tflite;
mod trtexec;

use std::collections::BTreeMap;

use lglp_sdk::plugin::Sample;
use lglp_sdk::program;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use samples::{Answer as SamplesAnswer, facts};

/// A format of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
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
pub(crate) struct Said {
    pub printed: program::Output,
    /// What it wrote to `{output}`.
    pub output: Option<String>,
}

/// What was read in it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Timed runs, one at least. Where times are rounded, 0 is the time of a run that is too short to be told.
    samples: Vec<Sample>,
    /// What the program says of itself, in the format's own place for it: `runtime`, `version`, `device`...
    pub facts: BTreeMap<String, String>,
    /// What times are rounded to, milliseconds; 0 where they are not.
    pub resolution_ms: f64,
}

impl Format {
    /// Reads an answer.
    ///
    /// # Errors
    /// A text that names the place at fault and what was expected there.
    pub(crate) fn read(self, said: &Said) -> Result<Answer, String> {
        match self {
            Self::Samples => samples::read(said),
            Self::TrtexecTimes => trtexec::read(said).map(Answer::of),
            Self::OpenvinoReport => openvino::read(said),
            Self::TfliteLog => tflite::read(said),
        }
    }
}

impl Answer {
    fn of(samples: Vec<Sample>) -> Self {
        Self {
            samples,
            facts: BTreeMap::new(),
            resolution_ms: 0.0,
        }
    }

    /// One sample of an elapsed time in milliseconds, told at `place` and rounded to `resolution_ms`.
    fn rounded(place: &str, wall_ms: f64, resolution_ms: f64) -> Result<Self, String> {
        let sample = match wall_ms == 0.0 && resolution_ms > 0.0 {
            true => Sample::default(),
            false => Sample {
                wall_ns: nanoseconds(place, wall_ms)?,
                ..Sample::default()
            },
        };
        Ok(Self {
            resolution_ms,
            ..Self::of(vec![sample])
        })
    }

    /// The samples, for a measurement.
    ///
    /// # Errors
    /// A run was too short to be told.
    pub(crate) fn samples(self) -> Result<Vec<Sample>, String> {
        if self.samples.iter().all(|sample| sample.wall_ns > 0) {
            return Ok(self.samples);
        }
        Err(format!(
            "the network takes less than the {} ms that its times are rounded to; measure it with a runtime that tells \
             them finer, or with a larger --batch-size",
            self.resolution_ms
        ))
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
        let mut lines = self.printed.stdout.lines().chain(self.printed.stderr.lines());
        shortened(lines.rfind(|line| !line.trim().is_empty()).unwrap_or("none").trim())
    }
}

/// The beginning of a text that goes into a message.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
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
