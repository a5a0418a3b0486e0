//! The device that a worker measures on: its runtime, open, and its lock.

use lglp_engine::host::{PluginError, PluginHost, RuntimeInstance};
use lglp_engine::measure::{DeviceLock, Setup, fingerprint};
use lglp_registry::HardwareTarget;
use serde_json::Value;

use super::error::WorkerError;

/// An open device.
pub(crate) struct Device<'a> {
    host: &'a PluginHost,
    setup: Setup,
    pub runtime: RuntimeInstance,
    description: Value,
    pub lock: DeviceLock,
}

impl<'a> Device<'a> {
    /// Opens the runtime.
    ///
    /// # Errors
    /// `Plugin` where it cannot be; `DeviceLock`.
    pub(crate) fn open(host: &'a PluginHost, setup: Setup) -> Result<Self, WorkerError> {
        let (runtime, description) = open(host, &setup)?;
        let path = DeviceLock::path(&description);
        let lock = DeviceLock::open(&path).map_err(|reason| WorkerError::DeviceLock {
            path: path.display().to_string(),
            reason,
        })?;
        Ok(Self {
            host,
            setup,
            runtime,
            description,
            lock,
        })
    }

    /// Opens the runtime anew, after it was of no use any more.
    pub(crate) fn reopen(&mut self) -> Result<(), PluginError> {
        (self.runtime, self.description) = open(self.host, &self.setup)?;
        Ok(())
    }

    /// The machine, with the opened runtime.
    pub(crate) fn fingerprint(&self) -> Value {
        fingerprint(&self.description)
    }

    /// The runtime's name.
    pub(crate) fn runtime_name(&self) -> &str {
        &self.setup.runtime
    }

    /// Inputs that a network takes at once.
    pub(crate) fn batch(&self) -> u32 {
        self.setup.batch
    }

    /// Whether it was opened as a target wants it.
    pub(crate) fn fits(&self, target: &HardwareTarget) -> bool {
        let own = self.setup.new_target(&target.name, self.fingerprint(), None);
        own.runtime == target.runtime && (own.settings == target.settings || self.setup == Setup::of_target(target))
    }
}

fn open(host: &PluginHost, setup: &Setup) -> Result<(RuntimeInstance, Value), PluginError> {
    let runtime = setup.on(host)?.open()?;
    let description = runtime.describe()?;
    Ok((runtime, description))
}
