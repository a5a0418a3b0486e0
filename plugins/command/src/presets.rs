//! Presets: programs that are known here, as data. One file and one line each.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::Deserialize;

use crate::parse::Format;

/// Name and file of every preset.
const PRESETS: [(&str, &str); 4] = [
    ("openvino", include_str!("../presets/openvino.toml")),
    ("python", include_str!("../presets/python.toml")),
    ("tflite", include_str!("../presets/tflite.toml")),
    ("trtexec", include_str!("../presets/trtexec.toml")),
];

/// How one program is run and read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preset {
    /// For people.
    #[serde(rename = "title")]
    _title: String,
    /// What `{program}` is where the settings name no other.
    #[serde(default)]
    pub program: String,
    pub command: Vec<String>,
    #[serde(default)]
    pub convert: Vec<String>,
    #[serde(default)]
    pub persistent: bool,
    #[serde(default = "output")]
    pub output: String,
    #[serde(default)]
    pub answer: Format,
    /// What a sample is, where it is not one run.
    pub statistic: Option<String>,
    /// What is known of the runtime, or told by the program in words of its own.
    #[serde(default)]
    pub facts: Facts,
}

/// Facts of the description, by name: `runtime`, `version`, `device`, `driver`, `precision`.
pub(crate) type Facts = BTreeMap<String, Fact>;

/// Where a fact comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fact {
    /// It is always so.
    Is(String),
    /// The first group of a pattern in what the program prints.
    Pattern(String),
}

fn output() -> String {
    "{scratch}/output.json".to_owned()
}

/// Names of the presets.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The preset of that name.
pub(crate) fn find(name: &str) -> Option<Preset> {
    let (_, text) = PRESETS.iter().find(|(known, _)| *known == name)?;
    Some(toml::from_str(text).expect("a test reads every preset"))
}

impl Preset {
    /// What stands for a preset where the command is the user's own.
    pub(crate) fn own(command: &[String], answer: Format) -> Self {
        Self {
            _title: String::new(),
            program: String::new(),
            command: command.to_vec(),
            convert: Vec::new(),
            persistent: false,
            output: output(),
            answer,
            statistic: None,
            facts: Facts::new(),
        }
    }
}

impl Fact {
    /// The fact, as far as the program's words tell it.
    pub(crate) fn tell(&self, words: &str) -> Option<String> {
        match self {
            Self::Is(fact) => Some(fact.clone()),
            Self::Pattern(pattern) => {
                let pattern = Regex::new(pattern).expect("a test compiles every pattern");
                Some(pattern.captures(words)?.get(1)?.as_str().trim().to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_preset_can_be_used() {
        for name in names() {
            let preset = find(name).expect("it is listed");
            for fact in preset.facts.values() {
                fact.tell("");
            }
            let settings = Settings {
                preset: Some(name.to_owned()),
                ..Settings::default()
            };
            settings.plan().expect(name);
        }
    }
}
