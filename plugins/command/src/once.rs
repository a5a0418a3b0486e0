//! Programs that are started for every call: each start times one network some times, says how long it took, and ends.

use lglp_sdk::plugin::{PluginError, Sample};
use lglp_sdk::program;

use crate::files::Network;
use crate::parse::{Answer, Said};
use crate::plan::Plan;
use crate::template::{Template, Values};
use crate::{Facts, probe, same_facts};

pub(crate) struct Once {
    plan: Plan,
    values: Values,
    /// What the program said of itself at first.
    facts: Facts,
    /// What it rounded times to then, milliseconds; 0 where it did not.
    resolution_ms: f64,
}

impl Once {
    /// Has the program time a tiny network once, to learn whether it works, and what it says of itself. The time may be one that
    /// the program rounds to 0.
    pub(crate) fn open(plan: Plan, values: Values) -> Result<(Self, Facts), PluginError> {
        let mut once = Self {
            plan,
            values,
            facts: Facts::new(),
            resolution_ms: 0.0,
        };
        let network = once.load(&probe::network())?;
        let answer = once.ask(&network, 1)?;
        (once.facts, once.resolution_ms) = (answer.facts, answer.resolution_ms);
        let facts = once.facts.clone();
        Ok((once, facts))
    }

    /// What the program rounds times to, milliseconds; none where it does not.
    pub(crate) fn resolution_ms(&self) -> Option<f64> {
        Some(self.resolution_ms).filter(|&resolution_ms| resolution_ms > 0.0)
    }

    /// Writes a network's file, and has it converted.
    pub(crate) fn load(&self, onnx: &[u8]) -> Result<Network, PluginError> {
        let network = Network::write(onnx)?;
        if let Some(convert) = &self.plan.convert {
            self.start(convert, &network.values(&self.plan, &self.values, 1))?;
        }
        Ok(network)
    }

    pub(crate) fn run(&self, network: &Network, runs: usize) -> Result<Vec<Sample>, PluginError> {
        let answer = self.ask(network, runs)?;
        same_facts(&self.facts, &answer.facts)?;
        answer.samples().map_err(|reason| self.failed(&reason))
    }

    fn ask(&self, network: &Network, runs: usize) -> Result<Answer, PluginError> {
        let values = network.values(&self.plan, &self.values, runs);
        // What an earlier start has left must not pass for an answer of this one.
        let output = &values["output"];
        if let Err(error) = std::fs::remove_file(output)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(PluginError::Failed(format!("cannot remove {output}: {error}")));
        }
        let said = Said {
            printed: self.start(&self.plan.command, &values)?,
            output: std::fs::read_to_string(output).ok(),
        };
        let answer = self.plan.answer.read(&said);
        let mut answer = answer.map_err(|reason| self.failed(&reason))?;
        let words = format!("{}\n{}", said.printed.stdout, said.printed.stderr);
        for (name, fact) in &self.plan.facts {
            if let Some(fact) = fact.tell(&words) {
                answer.facts.insert(name.clone(), fact);
            }
        }
        Ok(answer)
    }

    fn failed(&self, reason: &str) -> PluginError {
        PluginError::Failed(format!("{}: {reason}", self.plan.program(&self.values)))
    }

    fn start(&self, template: &Template, values: &Values) -> Result<program::Output, PluginError> {
        Ok(program::run(self.plan.start(template, values), self.plan.time_limit)?)
    }
}
