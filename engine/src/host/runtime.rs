//! Measurement runtimes behind a safe handle.

use lglp_registry::Digest;
use lglp_sdk::plugin::abi::RunSample;
use serde_json::{Map, Value, json};

use super::calls::{Call, Offer};
use super::instance::Instance;
use super::{ComponentHandle, PluginError};

/// An open runtime.
pub struct RuntimeInstance {
    instance: Instance,
    /// What the machine's owner decided of it.
    configuration: Option<Digest>,
    /// Bytes that a network may take on this machine; none where it runs elsewhere.
    network_memory: Option<u64>,
}

/// A network that is ready to run on a runtime.
pub struct NetworkInstance<'a> {
    runtime: &'a RuntimeInstance,
    network: u64,
}

/// One timed run.
#[derive(Clone, Copy, Debug)]
pub struct TimedRun {
    /// Elapsed time, milliseconds.
    pub wall_ms: f64,
    /// Processor time of the running thread, milliseconds; 0 where the runtime does not know it.
    pub cpu_ms: f64,
    /// Energy of the device, joules, where the runtime measures it itself.
    pub energy_j: Option<f64>,
}

impl RuntimeInstance {
    /// Opens a runtime with all of its settings, those of the machine's own among them.
    pub(super) fn open(
        handle: &ComponentHandle,
        settings: &Value,
        configuration: Option<&Digest>,
        network_memory: Option<u64>,
    ) -> Result<Self, PluginError> {
        handle.check_parameters(settings)?;
        let mut opened = Self::open_unchecked(handle, settings)?;
        opened.configuration = configuration.cloned();
        opened.network_memory = network_memory;
        Ok(opened)
    }

    /// The same, whatever its schema says of the settings; nothing is known of the machine.
    pub(super) fn open_unchecked(handle: &ComponentHandle, settings: &Value) -> Result<Self, PluginError> {
        let settings = settings.to_string();
        let instance = Instance::make(handle, Call::Open, &[settings.as_bytes()], &mut |_| true)?;
        Ok(Self {
            instance,
            configuration: None,
            network_memory: None,
        })
    }

    /// What was opened; part of a target's fingerprint. Where the machine's owner has set it up, a digest tells how, lest
    /// another program is taken for the same.
    pub fn describe(&self) -> Result<Value, PluginError> {
        let json = self.instance.call(Call::Describe, &[], &mut [])?.bytes;
        let described: serde_json::Result<Map<String, Value>> = serde_json::from_slice(&json);
        let mut described = described.map_err(|e| {
            let message = format!("it describes itself in something that is no JSON object: {e}");
            self.instance.handle().failed(message)
        })?;
        // Not for the plugin, or its program, to say.
        described.remove("configuration");
        if let Some(configuration) = &self.configuration {
            described.insert("configuration".to_owned(), json!(configuration));
        }
        Ok(Value::Object(described))
    }

    /// Bytes that a network may take on this machine; none where it runs elsewhere.
    pub fn network_memory(&self) -> Option<u64> {
        self.network_memory
    }

    /// Prepares an ONNX model.
    pub fn load(&self, onnx: &[u8]) -> Result<NetworkInstance<'_>, PluginError> {
        let network = self.instance.call(Call::LoadNetwork, &[onnx], &mut [])?.number(0);
        Ok(NetworkInstance { runtime: self, network })
    }

    /// Runs to ask for at a time: 1 where runs have no price beside their own.
    pub fn runs_at_once(&self) -> usize {
        let runs = self.instance.call(Call::RunsAtOnce, &[], &mut []);
        let runs = runs.map_or(1, |told| told.number(0));
        usize::try_from(runs).unwrap_or(1).max(1)
    }
}

impl NetworkInstance<'_> {
    /// Runs the network once.
    pub fn run(&mut self) -> Result<TimedRun, PluginError> {
        let network = self.network;
        let told = self.runtime.instance.call(Call::Run { network }, &[], &mut [])?;
        Ok(TimedRun::of(told.number(0), told.number(1), 0))
    }

    /// Runs about `runs` times in a row; never no run at all.
    pub fn run_many(&mut self, runs: usize) -> Result<Vec<TimedRun>, PluginError> {
        let (instance, runs, network) = (&self.runtime.instance, runs.max(1), self.network);
        if !instance.handle().offers(Offer::RunMany) {
            return (0..runs).map(|_| self.run()).collect();
        }
        let bytes = instance.call(Call::RunMany { network, runs }, &[], &mut [])?.bytes;
        let samples = bytes.chunks_exact(size_of::<RunSample>()).map(|sample| {
            let number = |at: usize| u64::from_ne_bytes(sample[8 * at..][..8].try_into().expect("eight bytes"));
            TimedRun::of(number(0), number(1), number(2))
        });
        let samples: Vec<TimedRun> = samples.collect();
        if samples.is_empty() {
            let message = "it ran a network without timing a single run";
            return Err(instance.handle().failed(message.into()));
        }
        Ok(samples)
    }
}

impl TimedRun {
    fn of(wall_ns: u64, cpu_ns: u64, energy_uj: u64) -> Self {
        Self {
            wall_ms: wall_ns as f64 / 1e6,
            cpu_ms: cpu_ns as f64 / 1e6,
            energy_j: (energy_uj > 0).then_some(energy_uj as f64 / 1e6),
        }
    }
}

impl Drop for NetworkInstance<'_> {
    fn drop(&mut self) {
        let network = self.network;
        // One that cannot be unloaded is lost with its runtime.
        let _ = self.runtime.instance.call(Call::Unload { network }, &[], &mut []);
    }
}
