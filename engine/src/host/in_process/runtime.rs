//! Measurement runtimes behind the C ABI.

use std::collections::HashMap;
use std::mem::{offset_of, size_of};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lglp_sdk::plugin::abi::{self, RuntimeTable};

use super::arrays::{text, unexpected};
use super::call::Made;
use super::{call, tables};
use crate::host::PluginError;
use crate::host::calls::{Answer, Call, Callee, Component, Offer, Offers, OnProgress};

/// A runtime's table, as far as the plugin knows it; what it does not know is null.
#[derive(Clone)]
pub(super) struct Runtime {
    table: RuntimeTable,
    name: String,
}

/// An open runtime.
struct Open {
    of: Runtime,
    instance: Made,
    networks: Mutex<Networks>,
}

/// Networks that are loaded, by the numbers that the host knows them by.
#[derive(Default)]
struct Networks {
    loaded: HashMap<u64, Made>,
    last: u64,
}

impl Runtime {
    /// # Safety
    /// The component has the table of a runtime, of a plugin of this minor version, which is never unloaded.
    pub(super) unsafe fn new(component: &abi::Component, abi_minor: u32, name: &str) -> Self {
        let known = match abi_minor {
            0 => offset_of!(RuntimeTable, runs_at_once),
            _ => size_of::<RuntimeTable>(),
        };
        Self {
            // SAFETY: a plugin of this version has that many bytes of it.
            table: unsafe { tables::whole(component.runtime, known) },
            name: name.to_owned(),
        }
    }

    pub(super) fn offers(&self) -> Offers {
        let runs_many = self.table.run_many.map(|_| Offer::RunMany);
        runs_many.into_iter().collect()
    }
}

impl Component for Runtime {
    fn make(&self, call: Call, inputs: &[&[u8]], _: OnProgress<'_>) -> Result<Box<dyn Callee>, PluginError> {
        let (Call::Open, [settings]) = (&call, inputs) else {
            return Err(unexpected(&self.name, &call));
        };
        // SAFETY: the text outlives the call.
        let instance = call::made(&self.name, |instance, error| unsafe {
            (self.table.open)(text(settings), instance, error)
        })?;
        Ok(Box::new(Open {
            of: self.clone(),
            instance,
            networks: Mutex::default(),
        }))
    }

    fn call(&self, call: Call, _: &[&[u8]], _: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        Err(unexpected(&self.name, &call))
    }
}

impl Open {
    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn network(&self, number: u64) -> Result<Made, PluginError> {
        let found = self.networks().loaded.get(&number).copied();
        found.ok_or_else(|| PluginError::Failed {
            component: self.of.name.clone(),
            message: format!("network {number} is not loaded"),
        })
    }
}

impl Callee for Open {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let Runtime { table, name } = &self.of;
        match (&call, inputs, outputs) {
            (Call::Describe, [], []) => {
                // SAFETY: the instance is alive.
                let json = call::bytes(name, |json, error| unsafe {
                    (table.describe)(self.instance.pointer(), json, error)
                });
                json.map(Answer::bytes)
            }
            (Call::LoadNetwork, [onnx], []) => {
                // SAFETY: the model outlives the call.
                let network = call::made(name, |network, error| unsafe {
                    (table.load)(self.instance.pointer(), onnx.as_ptr(), onnx.len(), network, error)
                })?;
                let mut networks = self.networks();
                networks.last += 1;
                let number = networks.last;
                networks.loaded.insert(number, network);
                Ok(Answer::of([number]))
            }
            (Call::Unload { network }, [], []) => {
                if let Some(network) = self.networks().loaded.remove(network) {
                    // SAFETY: made by `load`, used no more.
                    unsafe { (table.unload)(network.pointer()) };
                }
                Ok(Answer::default())
            }
            (Call::Run { network }, [], []) => {
                let network = self.network(*network)?;
                let (mut wall_ns, mut cpu_ns) = (0, 0);
                // SAFETY: both are alive, and the host keeps the network to this call.
                call::checked(name, |error| unsafe {
                    (table.run)(
                        self.instance.pointer(),
                        network.pointer(),
                        &mut wall_ns,
                        &mut cpu_ns,
                        error,
                    )
                })?;
                Ok(Answer::of([wall_ns, cpu_ns]))
            }
            (Call::RunMany { network, runs }, [], []) => {
                let network = self.network(*network)?;
                let run_many = table.run_many.ok_or_else(|| call::not_offered(name))?;
                // SAFETY: as above.
                let samples = call::bytes(name, |samples, error| unsafe {
                    run_many(self.instance.pointer(), network.pointer(), *runs, samples, error)
                });
                samples.map(Answer::bytes)
            }
            (Call::RunsAtOnce, [], []) => {
                // SAFETY: the instance is alive.
                let runs = table.runs_at_once.map(|runs| unsafe { runs(self.instance.pointer()) });
                Ok(Answer::of([runs.unwrap_or(1) as u64]))
            }
            _ => Err(unexpected(name, &call)),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let networks = std::mem::take(&mut *self.networks());
        for network in networks.loaded.into_values() {
            // SAFETY: made by `load`, used no more.
            unsafe { (self.of.table.unload)(network.pointer()) };
        }
        // SAFETY: made by `open`, and its networks are unloaded.
        unsafe { (self.of.table.close)(self.instance.pointer()) }
    }
}
