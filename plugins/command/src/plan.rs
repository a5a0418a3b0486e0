//! What to run for a hardware target, and how.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::parse::Format;
use crate::presets::Facts;
use crate::template::{Template, Values};

/// What to run, and how to read it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub command: Template,
    pub convert: Option<Template>,
    pub persistent: bool,
    /// The file named by `{output}`, which is read where the program has written it.
    pub output: Template,
    pub answer: Format,
    pub facts: Facts,
    /// What a sample is, where it is not one run.
    pub statistic: Option<String>,
    pub program: String,
    pub threads: usize,
    pub repetitions: usize,
    pub time_limit: Duration,
    pub environment: BTreeMap<String, String>,
    pub device: Option<String>,
}

impl Plan {
    /// The values that hold for every network.
    pub(crate) fn values(&self, time_onnx: &Path) -> Values {
        Values::from([
            ("program", self.program.clone()),
            ("repetitions", self.repetitions.to_string()),
            ("threads", self.threads.to_string()),
            ("time_onnx", time_onnx.display().to_string()),
        ])
    }

    /// The program's name, for messages.
    pub(crate) fn program(&self, values: &Values) -> String {
        self.command.fill(values).swap_remove(0)
    }

    /// A command that can be started. Of lglp's own environment it gets neither the secret of a token nor the single
    /// thread that lglp's own OpenMP libraries are given.
    pub(crate) fn start(&self, template: &Template, values: &Values) -> Command {
        let words = template.fill(values);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_remove("LGLP_TOKEN");
        command
            .env("OMP_NUM_THREADS", self.threads.to_string())
            .envs(&self.environment);
        command
    }
}
