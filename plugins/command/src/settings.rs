//! Settings of a hardware target, and what they come to together with their preset.

use std::collections::BTreeMap;
use std::time::Duration;

use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::Format;
use crate::plan::Plan;
use crate::presets::{self, Preset};
use crate::template::Template;

/// Settings of a hardware target that is measured by a program. Give `preset`, or `command`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-lglp-elsewhere" = true))]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// A program that is known here: `python` (lglp's own script: PyTorch CUDA graphs, or ONNX Runtime), `openvino`
    /// (`benchmark_app`), `trtexec` (TensorRT), `tflite` (`benchmark_model`).
    #[schemars(extend("x-lglp-machine" = true))]
    pub preset: Option<String>,
    /// The preset's program, where it has another name here or lies outside of PATH: `/opt/tensorrt/bin/trtexec`.
    #[schemars(extend("x-lglp-machine" = true))]
    pub program: Option<String>,
    /// Further arguments, put behind those of the preset or of `command`.
    #[schemars(extend("x-lglp-machine" = true))]
    pub arguments: Vec<String>,
    /// A program of your own with its arguments, started without a shell. In them `{onnx}` is the network's file,
    /// `{repetitions}` and `{threads}` are numbers, `{scratch}` a folder for the program's files, `{output}` a file in it
    /// that the answer may be written to instead of the standard output, `{time_onnx}` lglp's own script.
    #[schemars(extend("x-lglp-machine" = true))]
    pub command: Vec<String>,
    /// A program that converts `{onnx}` beforehand, once for each network; the command names what it writes into
    /// `{scratch}`.
    #[schemars(extend("x-lglp-machine" = true))]
    pub convert: Vec<String>,
    /// Whether the program stays, and answers questions as JSON lines, instead of being started for every call.
    #[schemars(extend("x-lglp-machine" = true))]
    pub persistent: Option<bool>,
    /// How to read what `command` answers.
    #[schemars(extend("x-lglp-machine" = true))]
    pub answer: Format,
    /// Threads, for programs that ask.
    #[schemars(range(min = 1, max = 1024))]
    pub threads: usize,
    /// Runs of one call, and so of one start of the program.
    #[schemars(range(min = 1, max = 10_000))]
    pub repetitions: usize,
    /// Seconds that the program may take for one answer, its start and conversion included.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    pub time_limit_s: f64,
    /// Environment variables that the program gets beside lglp's own.
    #[schemars(extend("x-lglp-machine" = true))]
    pub environment: BTreeMap<String, String>,
    /// The device, where the program does not tell it or not well.
    #[schemars(extend("x-lglp-machine" = true))]
    pub device: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: None,
            program: None,
            arguments: Vec::new(),
            command: Vec::new(),
            convert: Vec::new(),
            persistent: None,
            answer: Format::Samples,
            threads: 1,
            repetitions: 20,
            time_limit_s: 600.0,
            environment: BTreeMap::new(),
            device: None,
        }
    }
}

impl Settings {
    /// Checks the settings, which the host has checked against the schema.
    ///
    /// # Errors
    /// `InvalidParameters`, naming the setting and the fix.
    pub(crate) fn plan(self) -> Result<Plan, PluginError> {
        let preset = self.preset()?;
        let command: Vec<String> = preset.command.iter().chain(&self.arguments).cloned().collect();
        let convert = if self.convert.is_empty() {
            preset.convert
        } else {
            self.convert
        };
        let persistent = self.persistent.unwrap_or(preset.persistent);
        let has_onnx = |words: &[String]| words.iter().any(|word| word.contains("{onnx}"));
        if !persistent && !has_onnx(&command) && !has_onnx(&convert) {
            return invalid(
                "command has no {onnx}: put it where the program takes the network's file, e.g. \
                 [\"my-benchmark\", \"{onnx}\"]; or set persistent=true for a program that is told by JSON lines",
            );
        }
        if persistent && preset.answer != Format::Samples {
            return invalid("persistent is for programs that answer with samples; set persistent=false");
        }
        if !(1..=1024).contains(&self.threads) {
            return invalid(&format!("threads is {}; allowed: 1 to 1024", self.threads));
        }
        if !(1..=10_000).contains(&self.repetitions) {
            return invalid(&format!("repetitions is {}; allowed: 1 to 10000", self.repetitions));
        }
        if !(0.001..=86_400.0).contains(&self.time_limit_s) {
            return invalid(&format!(
                "time_limit_s is {}; allowed: 0.001 to 86400",
                self.time_limit_s
            ));
        }
        if let Some(name) = self
            .environment
            .keys()
            .find(|name| name.is_empty() || name.contains(['=', '\0']))
        {
            return invalid(&format!("environment has the name {name:?}; expected one without `=`"));
        }
        Ok(Plan {
            command: Template::new("command", command)?,
            convert: (!convert.is_empty())
                .then(|| Template::new("convert", convert))
                .transpose()?,
            persistent,
            output: Template::new("output", vec![preset.output])?,
            answer: preset.answer,
            facts: preset.facts,
            statistic: preset.statistic,
            program: self.program.unwrap_or(preset.program),
            threads: self.threads,
            repetitions: self.repetitions,
            time_limit: Duration::from_secs_f64(self.time_limit_s),
            environment: self.environment,
            device: self.device,
        })
    }

    /// The preset that is named, or what stands for one where there is a command.
    fn preset(&self) -> Result<Preset, PluginError> {
        let names = || presets::names().collect::<Vec<_>>().join(", ");
        match (&self.preset, self.command.as_slice()) {
            (None, []) => invalid(&format!(
                "give preset, one of {}, or command, your own program with its arguments: \
                 [\"my-benchmark\", \"{{onnx}}\"]",
                names()
            )),
            (Some(_), [_, ..]) => invalid("preset and command exclude each other; to add to a preset, use arguments"),
            (Some(name), []) => presets::find(name)
                .ok_or_else(|| PluginError::InvalidParameters(format!("preset is {name:?}; there are {}", names()))),
            (None, command) if self.program.is_some() => invalid(&format!(
                "program is for presets; the program of a command is its first word, here {:?}",
                command[0]
            )),
            (None, command) => Ok(Preset::own(command, self.answer)),
        }
    }
}

fn invalid<T>(message: &str) -> Result<T, PluginError> {
    Err(PluginError::InvalidParameters(message.to_owned()))
}
