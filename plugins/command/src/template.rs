//! Command lines with placeholders.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lglp_sdk::plugin::PluginError;
use regex_lite::{Captures, Regex};

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
