//! lglp's own format: what programs written for it answer. The contract stands in docs/your-device.md.

use std::collections::BTreeMap;

use lglp_sdk::plugin::Sample;
use serde::Deserialize;
use serde_json::Value;

use super::{Said, nanoseconds, shortened};

/// An answer as it is written.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    samples: Vec<Told>,
    /// Texts beside the samples are what the program says of itself.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// One timed run. Unknown names are mistakes: `energy_J` would be lost without a word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    wall_ms: f64,
    cpu_ms: Option<f64>,
    energy_j: Option<f64>,
}

/// Facts that go into the description of the runtime.
const FACTS: [&str; 5] = ["runtime", "version", "device", "driver", "precision"];

/// Joules of one run beyond which they are a mistake.
const MOST_JOULES: f64 = 1e9;

/// Reads the file, or the last line of the standard output that begins a JSON object.
pub(super) fn read(said: &Said) -> Result<super::Answer, String> {
    let (place, text) = match &said.output {
        Some(text) => ("the file {output}", text.as_str()),
        None => ("the standard output", last_object(said)?),
    };
    let answer: Answer = serde_json::from_str(text)
        .map_err(|e| format!("{place} has no answer in lglp's format: {e}; it is {}", shortened(text)))?;
    Ok(super::Answer {
        facts: facts(&answer.rest),
        ..super::Answer::of(answer.samples()?)
    })
}

fn last_object(said: &Said) -> Result<&str, String> {
    let mut lines = said.printed.stdout.lines().map(str::trim);
    lines.rfind(|line| line.starts_with('{')).ok_or_else(|| {
        format!(
            "the program printed no JSON object on its standard output; expected one line like \
             {{\"samples\": [{{\"wall_ms\": 1.2}}]}}; its last line: {}",
            said.last_line()
        )
    })
}

impl Answer {
    /// The samples, each of them checked.
    pub(crate) fn samples(&self) -> Result<Vec<Sample>, String> {
        if self.samples.is_empty() {
            return Err("samples is empty; expected one object for each timed run".to_owned());
        }
        let numbered = self.samples.iter().enumerate();
        numbered
            .map(|(index, told)| told.sample(&format!("samples[{index}]")))
            .collect()
    }
}

impl Told {
    fn sample(&self, place: &str) -> Result<Sample, String> {
        let energy_j = self.energy_j.unwrap_or(0.0);
        if self.energy_j.is_some() && !(energy_j > 0.0 && energy_j < MOST_JOULES) {
            return Err(format!(
                "{place}.energy_j is {energy_j}; expected joules above 0, or nothing where they are not known"
            ));
        }
        let cpu_ns = self.cpu_ms.map(|ms| nanoseconds(&format!("{place}.cpu_ms"), ms));
        Ok(Sample {
            wall_ns: nanoseconds(&format!("{place}.wall_ms"), self.wall_ms)?,
            cpu_ns: cpu_ns.transpose()?.unwrap_or(0),
            energy_uj: (energy_j * 1e6).round() as u64,
        })
    }
}

/// The facts among the names of an object.
pub(crate) fn facts<'a>(object: impl IntoIterator<Item = (&'a String, &'a Value)>) -> BTreeMap<String, String> {
    let texts = object
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    let known = texts.filter(|(name, text)| FACTS.contains(&name.as_str()) && !text.is_empty());
    known.map(|(name, text)| (name.clone(), text.to_owned())).collect()
}
