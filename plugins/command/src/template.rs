//! Command lines with placeholders.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use lglp_sdk::plugin::PluginError;
use regex_lite::{Captures, Regex};

use crate::settings::Plan;

/// What placeholders stand for.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// Names that may stand in braces.
const NAMES: [&str; 7] = [
    "onnx",
    "output",
    "program",
    "repetitions",
    "scratch",
    "threads",
    "time_onnx",
];

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([a-z_]+)\}").expect("a pattern"));

/// Words with placeholders, the first of which is the program.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<String>);

impl Template {
    /// Takes the words of a setting.
    ///
    /// # Errors
    /// `InvalidParameters` where something unknown stands in braces.
    pub(crate) fn new(setting: &str, words: Vec<String>) -> Result<Self, PluginError> {
        let named = words.iter().flat_map(|word| PLACEHOLDER.captures_iter(word));
        let unknown = named
            .map(|found| found[1].to_owned())
            .find(|name| !NAMES.contains(&name.as_str()));
        match unknown {
            Some(name) => Err(PluginError::InvalidParameters(format!(
                "{setting} has the placeholder {{{name}}}; there are {{{}}}",
                NAMES.join("}, {")
            ))),
            None => Ok(Self(words)),
        }
    }

    /// The words with their values. A placeholder that has none here, as `{onnx}` before there is a network, is empty.
    pub(crate) fn fill(&self, values: &Values) -> Vec<String> {
        let value = |found: &Captures<'_>| values.get(&found[1]).cloned().unwrap_or_default();
        self.0
            .iter()
            .map(|word| PLACEHOLDER.replace_all(word, value).into_owned())
            .collect()
    }
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
