//! Measurement runtimes behind a safe handle.

use std::ffi::c_void;

use lglp_sdk::plugin::abi::{RuntimeTable, Str};

use super::{ComponentHandle, PluginError, call};

/// An open runtime.
pub struct RuntimeInstance {
    name: String,
    table: &'static RuntimeTable,
    instance: *mut c_void,
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
}

impl RuntimeInstance {
    /// Opens a runtime with the settings of a hardware target.
    pub fn open(handle: &ComponentHandle, settings: &serde_json::Value) -> Result<Self, PluginError> {
        handle.check_parameters(settings)?;
        // SAFETY: the host admits runtimes only with their table, and never unloads it.
        let table = unsafe { &*handle.component.runtime };
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
        })
    }

    /// What was opened; part of a target's fingerprint.
    pub fn describe(&self) -> Result<serde_json::Value, PluginError> {
        // SAFETY: the instance is alive.
        let json = call::bytes(&self.name, |json, error| unsafe {
            (self.table.describe)(self.instance, json, error)
        })?;
        serde_json::from_slice(&json).map_err(|e| PluginError::Failed {
            component: self.name.clone(),
            message: format!("it describes itself in something that is not JSON: {e}"),
        })
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
}

impl NetworkInstance<'_> {
    /// Runs the network once.
    pub fn run(&mut self) -> Result<TimedRun, PluginError> {
        let (mut wall_ns, mut cpu_ns) = (0, 0);
        let RuntimeInstance { table, instance, name } = self.runtime;
        // SAFETY: both are alive, and `&mut self` keeps the network to this call.
        call::checked(name, |error| unsafe {
            (table.run)(*instance, self.network, &mut wall_ns, &mut cpu_ns, error)
        })?;
        Ok(TimedRun {
            wall_ms: wall_ns as f64 / 1e6,
            cpu_ms: cpu_ns as f64 / 1e6,
        })
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
