//! Hardware targets: where their settings come from, and whether a machine is theirs.

use std::collections::BTreeMap;

use lglp_registry::{BATCH_SIZE, Digest, Error, HardwareName, HardwareTarget, NewHardware, ReferenceNetwork, Result};
use lglp_sdk::SearchSpace;
use serde_json::{Map, Value, json};

use super::meters::gpu_facts;
use super::{of_this_machine, reference_architecture};
use crate::host::{PluginError, PluginHost, Runtime};
use crate::networks::NoNetwork;
use crate::spaces::Spaces;

/// Inputs that a network may take at once where it is measured.
pub const BATCHES: std::ops::RangeInclusive<u32> = 1..=1024;

/// The runtime that measures where none is named.
const ONNXRUNTIME: &str = "onnxruntime";

/// Its setting of the pages that networks lie in.
const PAGES: &str = "pages";

/// How a target measures, or is to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The runtime: a plugin's, or one that the owner of the machine has set up.
    pub runtime: String,
    /// Its settings, but for those that are the machine's own; what is left out has the plugin's default.
    pub settings: Map<String, Value>,
    /// Inputs that a network takes at once.
    pub batch: u32,
    /// Whether it was measured before with what the owner of a machine had set up.
    pub configured: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self::of(ONNXRUNTIME)
    }
}

impl Setup {
    /// The runtime with its defaults, one input at a time.
    pub fn of(runtime: &str) -> Self {
        Self {
            runtime: runtime.to_owned(),
            settings: Map::new(),
            batch: 1,
            configured: false,
        }
    }

    /// Checks what a request says of a target that is to be created.
    ///
    /// # Errors
    /// `Invalid`, naming the field below `place`.
    pub fn check(&self, host: &PluginHost, place: &str) -> Result<()> {
        if !BATCHES.contains(&self.batch) {
            let reason = format!("expected 1 to {}, got {}", BATCHES.end(), self.batch);
            return Err(Error::invalid(format!("{place}.batch_size"), reason));
        }
        admit(host, &self.runtime, &self.settings, place)
    }

    /// What this machine opens for it.
    ///
    /// # Errors
    /// `NoSuchRuntime`, `MachineOnly`, and `NotConfigured` where the owner of the machine has not set up what was measured with
    /// before.
    pub fn on(&self, host: &PluginHost) -> std::result::Result<Runtime, PluginError> {
        let runtime = host.runtime(&self.runtime, &self.settings)?;
        if self.configured && runtime.configuration().is_none() {
            return Err(PluginError::NotConfigured {
                runtime: self.runtime.clone(),
            });
        }
        Ok(runtime)
    }

    /// As an existing target has it.
    pub fn of_target(target: &HardwareTarget) -> Self {
        let own = target.settings.iter().filter(|(name, _)| *name != BATCH_SIZE);
        let mut settings: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        // Before it had a choice, this runtime took the pages that the system gave.
        if target.runtime == ONNXRUNTIME && target.fingerprint.pointer("/runtime/pages").is_none() {
            settings.entry(PAGES).or_insert_with(|| json!("system"));
        }
        Self {
            runtime: target.runtime.clone(),
            settings,
            batch: target
                .batch_size()
                .and_then(|batch| u32::try_from(batch).ok())
                .unwrap_or(1),
            configured: target.fingerprint.pointer(CONFIGURATION).is_some(),
        }
    }

    /// A new target on a machine.
    pub fn new_target(
        &self,
        name: &HardwareName,
        fingerprint: Value,
        reference: impl Into<Option<ReferenceNetwork>>,
    ) -> NewHardware {
        let mut settings: BTreeMap<String, Value> = self.settings.clone().into_iter().collect();
        settings.insert(BATCH_SIZE.to_owned(), json!(self.batch));
        // Latency hangs on it whether or not it was asked for.
        if let Some(threads) = fingerprint.pointer("/runtime/threads") {
            settings.insert("threads".to_owned(), threads.clone());
        }
        NewHardware {
            name: name.clone(),
            runtime: self.runtime.clone(),
            settings,
            fingerprint,
            reference: reference.into(),
            by_workers: false,
        }
    }
}

/// Checks the settings that a request gives a runtime: what is the machine's own is not among them.
///
/// # Errors
/// `Invalid`, naming the setting below `place`.
pub fn admit(host: &PluginHost, runtime: &str, settings: &Map<String, Value>, place: &str) -> Result<()> {
    // That one is lglp's own, which a whole target has among the runtime's.
    let settings = settings.iter().filter(|(name, _)| *name != BATCH_SIZE);
    let settings = settings.map(|(name, value)| (name.clone(), value.clone())).collect();
    host.admit_settings(runtime, &settings).map_err(|refused| {
        let at = match &refused {
            PluginError::MachineOnly { setting, .. } => format!("settings.{setting}"),
            _ => "runtime".to_owned(),
        };
        let field = if place.is_empty() { at } else { format!("{place}.{at}") };
        Error::invalid(field, refused.to_string())
    })
}

/// A target with its reference network, which it did not have.
pub fn calibrated(target: HardwareTarget, reference: ReferenceNetwork) -> NewHardware {
    NewHardware {
        name: target.name,
        runtime: target.runtime,
        settings: target.settings,
        fingerprint: target.fingerprint,
        reference: Some(reference),
        by_workers: target.by_workers,
    }
}

/// The reference network of a space, with its latency in milliseconds.
///
/// # Errors
/// Where the space has no networks.
pub fn reference_network(space: &SearchSpace, latency_ms: f64) -> std::result::Result<ReferenceNetwork, NoNetwork> {
    let text = space.canonical_text(&reference_architecture(space)?);
    Ok(ReferenceNetwork {
        digest: Digest::of(text.as_bytes()),
        latency_ms,
        larger: Vec::new(),
    })
}

/// The space whose reference network a target is calibrated by; `own` where it is not calibrated yet, and none where the
/// definition of the space is another one by now.
pub fn reference_space<'a>(
    spaces: &'a Spaces,
    reference: Option<&ReferenceNetwork>,
    own: &'a SearchSpace,
) -> Option<&'a SearchSpace> {
    let Some(reference) = reference else { return Some(own) };
    let mut all = std::iter::once(own).chain(spaces.iter().map(|space| &**space));
    all.find(|space| reference_network(space, reference.latency_ms).is_ok_and(|own| own.digest == reference.digest))
}

/// This machine with an opened runtime.
pub fn fingerprint(description: &Value) -> Value {
    let mut fingerprint = of_this_machine();
    fingerprint["runtime"] = description.clone();
    if let Some(gpu) = gpu_facts(description) {
        fingerprint["gpu"] = gpu;
    }
    fingerprint
}

/// Facts of a machine that must agree for labels to belong together, as JSON pointers. The kernel may be updated.
const MACHINE: [&str; 4] = ["/architecture", "/cpu", "/cores", "/simd"];

/// Facts that must agree where both tell them: fingerprints of before do not tell the processor's generation, and a machine is looked at before a
/// runtime is opened, too.
const WHERE_TOLD: [&str; 6] = [
    "/cpu_generation",
    "/runtime/device",
    "/runtime/driver",
    "/runtime/pages",
    "/runtime/version",
    "/gpu/memory_mib",
];

/// What the owner of the machine has set the runtime up with, where anything.
const CONFIGURATION: &str = "/runtime/configuration";

/// A fact in which two fingerprints differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The fact's place in a fingerprint, in words: `cpu`, `runtime version`.
    pub fact: String,
    /// What the target's fingerprint has, as JSON; `not known` where it has nothing.
    pub there: String,
    /// What this machine's fingerprint has, as JSON; `not known` where it has nothing.
    pub here: String,
}

/// The first fact in which a machine is none of a target's: neither the one that it was created on, nor one that was
/// confirmed since.
pub fn difference(target: &HardwareTarget, fingerprint: &Value) -> Option<Difference> {
    let first = fact(&target.fingerprint, fingerprint)?;
    let differs = |confirmed| fact(confirmed, fingerprint).is_some();
    target.confirmed.iter().all(differs).then_some(first)
}

/// The first fact in which two fingerprints differ.
fn fact(there: &Value, here: &Value) -> Option<Difference> {
    let differs = |fact: &&str| there.pointer(fact) != here.pointer(fact);
    let both_tell = |fact: &&str| there.pointer(fact).is_some() && here.pointer(fact).is_some();
    // Of opened runtimes one that is set up is another than one that is not.
    let opened = both_tell(&"/runtime");
    let machine = MACHINE.into_iter().find(differs);
    let configuration = || Some(CONFIGURATION).filter(|fact| opened && differs(fact));
    let runtime = || WHERE_TOLD.into_iter().find(|fact| both_tell(fact) && differs(fact));
    let fact = machine.or_else(configuration).or_else(runtime)?;
    let tell = |fingerprint: &Value| {
        fingerprint
            .pointer(fact)
            .map_or_else(|| "not known".to_owned(), Value::to_string)
    };
    Some(Difference {
        fact: fact.trim_start_matches('/').replace('/', " "),
        there: tell(there),
        here: tell(here),
    })
}

/// As [`difference`], before the runtime is opened: as far as this machine and what its owner has set up go.
pub(crate) fn difference_before(target: &HardwareTarget, runtime: &Runtime) -> Option<Difference> {
    let mut here = of_this_machine();
    here["runtime"] = json!({});
    if let Some(configuration) = runtime.configuration() {
        here["runtime"]["configuration"] = json!(configuration);
    }
    difference(target, &here)
}

/// Whether a fingerprint is this machine's, as far as the machine goes.
pub fn is_of_this_machine(fingerprint: &Value) -> bool {
    fact(fingerprint, &of_this_machine()).is_none()
}

/// Whether a target can be measured on this machine, as far as the machine goes.
pub fn is_at_hand(target: &HardwareTarget) -> bool {
    difference(target, &of_this_machine()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The story: a target's dataset grew on a processor of another generation, by the same name, of the same provider. Large networks took 12 % less
    /// there and small ones up to 29 % more, and nothing said so.
    #[test]
    fn generations_of_one_name_are_two_machines() {
        let machine = |generation: Option<&str>| {
            let mut told = json!({ "architecture": "x86_64", "cpu": "AMD EPYC", "cores": 2, "simd": ["avx2"] });
            if let Some(generation) = generation {
                told["cpu_generation"] = json!(generation);
            }
            told
        };
        let (fourth, fifth) = ("family 25, model 17, stepping 1", "family 26, model 2, stepping 1");
        let differs = fact(&machine(Some(fourth)), &machine(Some(fifth))).expect("they differ");
        assert_eq!(differs.fact, "cpu_generation");
        assert!(differs.here.contains("family 26"), "{differs:?}");
        assert_eq!(fact(&machine(Some(fifth)), &machine(Some(fifth))), None);
        // Targets of before do not tell.
        assert_eq!(fact(&machine(None), &machine(Some(fifth))), None);
    }
}
