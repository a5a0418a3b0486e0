//! Measurement runtimes behind a safe handle.

use std::ffi::c_void;

use std::mem::{offset_of, size_of};

use lglp_registry::Digest;
use lglp_sdk::plugin::abi::{RunSample, RuntimeTable, Str};
use serde_json::{Map, Value, json};

use super::{ComponentHandle, PluginError, call, tables};

/// An open runtime.
pub struct RuntimeInstance {
    name: String,
    table: RuntimeTable,
    instance: *mut c_void,
    /// What the machine's owner decided of it.
    configuration: Option<Digest>,
    /// Bytes that a network may take on this machine; none where it runs elsewhere.
    network_memory: Option<u64>,
}

/// A network that is ready to run on a runtime.
pub struct NetworkInstance<'a> {
    runtime: &'a RuntimeInstance,
    network: *mut c_void,
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
        let table = whole_table(handle);
        let settings = settings.to_string();
        let mut instance = std::ptr::null_mut();
        // SAFETY: the text outlives the call.
        call::checked(handle.name(), |error| unsafe {
            (table.open)(Str::new(&settings), &mut instance, error)
        })?;
        Ok(Self {
            name: handle.name().to_owned(),
            table,
            instance,
            configuration: None,
            network_memory: None,
        })
    }

    /// What was opened; part of a target's fingerprint. Where the machine's owner has set it up, a digest tells how, lest
    /// another program is taken for the same.
    pub fn describe(&self) -> Result<Value, PluginError> {
        // SAFETY: the instance is alive.
        let json = call::bytes(&self.name, |json, error| unsafe {
            (self.table.describe)(self.instance, json, error)
        })?;
        let described: serde_json::Result<Map<String, Value>> = serde_json::from_slice(&json);
        let mut described = described.map_err(|e| PluginError::Failed {
            component: self.name.clone(),
            message: format!("it describes itself in something that is no JSON object: {e}"),
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
        let mut network = std::ptr::null_mut();
        // SAFETY: the model outlives the call.
        call::checked(&self.name, |error| unsafe {
            (self.table.load)(self.instance, onnx.as_ptr(), onnx.len(), &mut network, error)
        })?;
        Ok(NetworkInstance { runtime: self, network })
    }

    /// Runs to ask for at a time: 1 where runs have no price beside their own.
    pub fn runs_at_once(&self) -> usize {
        // SAFETY: the instance is alive.
        let runs = self.table.runs_at_once.map(|runs| unsafe { runs(self.instance) });
        runs.unwrap_or(1).max(1)
    }
}

/// The table of a runtime, as far as the plugin knows it; what it does not know is null.
fn whole_table(handle: &ComponentHandle) -> RuntimeTable {
    let known = match handle.abi_minor {
        0 => offset_of!(RuntimeTable, runs_at_once),
        _ => size_of::<RuntimeTable>(),
    };
    // SAFETY: the host admits runtimes only with their table, of which a plugin of this version has that many bytes.
    unsafe { tables::whole(handle.component.runtime, known) }
}

impl NetworkInstance<'_> {
    /// Runs the network once.
    pub fn run(&mut self) -> Result<TimedRun, PluginError> {
        let (mut wall_ns, mut cpu_ns) = (0, 0);
        let RuntimeInstance {
            table, instance, name, ..
        } = self.runtime;
        // SAFETY: both are alive, and `&mut self` keeps the network to this call.
        call::checked(name, |error| unsafe {
            (table.run)(*instance, self.network, &mut wall_ns, &mut cpu_ns, error)
        })?;
        Ok(TimedRun::of(wall_ns, cpu_ns, 0))
    }

    /// Runs about `runs` times in a row; never no run at all.
    pub fn run_many(&mut self, runs: usize) -> Result<Vec<TimedRun>, PluginError> {
        let Some(run_many) = self.runtime.table.run_many else {
            return (0..runs.max(1)).map(|_| self.run()).collect();
        };
        let RuntimeInstance { instance, name, .. } = self.runtime;
        // SAFETY: both are alive, and `&mut self` keeps the network to this call.
        let bytes = call::bytes(name, |samples, error| unsafe {
            run_many(*instance, self.network, runs.max(1), samples, error)
        })?;
        let samples = bytes.chunks_exact(size_of::<RunSample>()).map(|sample| {
            let number = |at: usize| u64::from_ne_bytes(sample[8 * at..][..8].try_into().expect("eight bytes"));
            TimedRun::of(number(0), number(1), number(2))
        });
        let samples: Vec<TimedRun> = samples.collect();
        if samples.is_empty() {
            return Err(PluginError::Failed {
                component: name.clone(),
                message: "it ran a network without timing a single run".into(),
            });
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
        // SAFETY: made by `load`, used no more.
        unsafe { (self.runtime.table.unload)(self.network) }
    }
}

impl Drop for RuntimeInstance {
    fn drop(&mut self) {
        // SAFETY: made by `open`; networks borrow the runtime, so none is left.
        unsafe { (self.table.close)(self.instance) }
    }
}
