//! Runtime `command`: a program of the user's own times the networks, or one that a preset knows.

mod files;
mod once;
mod parse;
mod persistent;
mod plan;
mod presets;
mod probe;
mod process;
mod settings;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use lglp_sdk::plugin::{PluginError, Runtime, Sample};
use serde_json::Value;

use files::Script;
use once::Once;
use persistent::{Loaded, Persistent};
use settings::Settings;

lglp_sdk::export_plugin! {
    summary: "Times ONNX networks by a program of your own, or by trtexec, benchmark_app, benchmark_model or PyTorch",
    runtimes: [CommandRuntime],
}

/// What a program said of itself, by the names of the description.
type Facts = BTreeMap<String, String>;

struct CommandRuntime {
    way: Way,
    description: Value,
    repetitions: usize,
    _script: Script,
}

/// The two ways of talking to a program.
enum Way {
    Once(Arc<Once>),
    Persistent(Arc<Persistent>),
}

/// A network that is ready to run.
enum Network {
    Once(Arc<Once>, files::Network),
    Persistent(Loaded),
}

impl Runtime for CommandRuntime {
    const NAME: &'static str = "command";
    const SUMMARY: &'static str = "any program that takes an ONNX file and tells times, as the settings say";
    type Parameters = Settings;
    type Network = Network;

    /// Asks the program what it is, by which a wrong setting shows before anything is measured.
    fn open(settings: Settings) -> Result<Self, PluginError> {
        let preset = settings.preset.clone();
        let plan = settings.plan()?;
        let script = Script::write()?;
        let values = plan.values(script.path());
        let mut description = serde_json::json!({ "runtime": Self::NAME, "threads": plan.threads });
        let (repetitions, device) = (plan.repetitions, plan.device.clone());
        if let Some(preset) = preset {
            description["preset"] = preset.into();
        }
        if let Some(statistic) = &plan.statistic {
            description["sample"] = statistic.clone().into();
        }
        let (way, facts) = if plan.persistent {
            let (persistent, facts) = Persistent::open(plan, values)?;
            (Way::Persistent(Arc::new(persistent)), facts)
        } else {
            let (once, facts) = Once::open(plan, values)?;
            if let Some(resolution_ms) = once.resolution_ms() {
                description["resolution_ms"] = resolution_ms.into();
            }
            (Way::Once(Arc::new(once)), facts)
        };
        for (name, fact) in facts {
            description[name] = fact.into();
        }
        if let Some(device) = device {
            description["device"] = device.into();
        }
        Ok(Self {
            way,
            description,
            repetitions,
            _script: script,
        })
    }

    fn describe(&self) -> Value {
        self.description.clone()
    }

    fn load(&self, onnx: &[u8]) -> Result<Network, PluginError> {
        match &self.way {
            Way::Once(once) => Ok(Network::Once(once.clone(), once.load(onnx)?)),
            Way::Persistent(persistent) => Ok(Network::Persistent(persistent.load(onnx)?)),
        }
    }

    fn run(&self, network: &mut Network) -> Result<Sample, PluginError> {
        Ok(self.run_many(network, 1)?[0])
    }

    fn runs_at_once(&self) -> usize {
        self.repetitions
    }

    fn run_many(&self, network: &mut Network, runs: usize) -> Result<Vec<Sample>, PluginError> {
        match network {
            Network::Once(once, files) => once.run(files, runs),
            Network::Persistent(loaded) => loaded.run(runs),
        }
    }
}

/// Compares what the program is now with what it was at first.
///
/// # Errors
/// `Failed` where both are told and differ: labels of two devices in one campaign would be worthless.
fn same_facts(first: &Facts, now: &Facts) -> Result<(), PluginError> {
    let differs = |(name, now): &(&String, &String)| first.get(*name).is_some_and(|first| first != *now);
    match now.iter().find(differs) {
        None => Ok(()),
        Some((name, now)) => Err(PluginError::Failed(format!(
            "the program's {name} was {:?} at first and is {now:?} now; is the device still there?",
            first[name]
        ))),
    }
}
