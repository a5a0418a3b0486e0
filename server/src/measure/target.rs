//! Hardware targets: where their settings come from, and whether a machine is theirs.

use std::collections::BTreeMap;

use lglp_registry::{Digest, Error, HardwareName, HardwareTarget, NewHardware, ReferenceNetwork, Result};
use lglp_sdk::SearchSpace;
use serde_json::{Map, Value, json};

use super::meters::gpu_facts;
use super::{of_this_machine, reference_architecture};
use crate::spaces::Spaces;

/// Inputs that a network may take at once.
pub const BATCHES: std::ops::RangeInclusive<u32> = 1..=1024;

/// Setting of a target that is lglp's own, the others being the runtime's.
const BATCH_SIZE: &str = "batch_size";

/// How a target that does not exist yet is to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The runtime plugin.
    pub runtime: String,
    /// Its settings; what is left out has the plugin's default.
    pub settings: Map<String, Value>,
    /// Inputs that a network takes at once.
    pub batch: u32,
}

impl Setup {
    /// The runtime with its defaults, one input at a time.
    pub fn of(runtime: &str) -> Self {
        Self {
            runtime: runtime.to_owned(),
            settings: Map::new(),
            batch: 1,
        }
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// `Invalid`, naming the field.
    pub fn check(&self) -> Result<()> {
        if BATCHES.contains(&self.batch) {
            return Ok(());
        }
        let reason = format!("expected 1 to {}, got {}", BATCHES.end(), self.batch);
        Err(Error::invalid("setup.batch_size", reason))
    }

    /// As an existing target has it.
    pub fn of_target(target: &HardwareTarget) -> Self {
        let own = target.settings.iter().filter(|(name, _)| *name != BATCH_SIZE);
        let batch = target.settings.get(BATCH_SIZE).and_then(Value::as_u64);
        Self {
            runtime: target.runtime.clone(),
            settings: own.map(|(name, value)| (name.clone(), value.clone())).collect(),
            batch: batch.and_then(|batch| u32::try_from(batch).ok()).unwrap_or(1),
        }
    }

    /// The runtime's settings, as its plugin takes them.
    pub fn runtime_settings(&self) -> Value {
        Value::Object(self.settings.clone())
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
        }
    }
}

/// A target with its reference network, which it did not have.
pub fn calibrated(target: HardwareTarget, reference: ReferenceNetwork) -> NewHardware {
    NewHardware {
        name: target.name,
        runtime: target.runtime,
        settings: target.settings,
        fingerprint: target.fingerprint,
        reference: Some(reference),
    }
}

/// The reference network of a space, with its latency in milliseconds.
pub fn reference_network(space: &SearchSpace, latency_ms: f64) -> ReferenceNetwork {
    let text = space.canonical_text(&reference_architecture(space));
    ReferenceNetwork {
        digest: Digest::of(text.as_bytes()),
        latency_ms,
    }
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
    all.find(|space| reference_network(space, reference.latency_ms).digest == reference.digest)
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

/// Facts of its runtime, where both tell them: a machine is looked at before a runtime is opened, too.
const RUNTIME: [&str; 4] = [
    "/runtime/device",
    "/runtime/driver",
    "/runtime/version",
    "/gpu/memory_mib",
];

/// A fact in which two fingerprints differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub fact: String,
    pub there: String,
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
    let machine = MACHINE.into_iter().find(differs);
    let fact = machine.or_else(|| RUNTIME.into_iter().find(|fact| both_tell(fact) && differs(fact)))?;
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

/// Whether a target can be measured on this machine, as far as the machine goes.
pub fn is_at_hand(target: &HardwareTarget) -> bool {
    difference(target, &of_this_machine()).is_none()
}
