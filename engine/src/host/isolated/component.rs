//! Components and instances in processes of their own.

use std::sync::{Arc, Mutex, PoisonError};

use super::pool::{Making, Pool};
use super::process::{For, Process};
use crate::host::calls::{Answer, Call, Callee, Component, OnProgress};
use crate::host::{ComponentDescription, ComponentKind, PluginError};

/// A component of a plugin that runs in processes of its own.
#[derive(Clone)]
pub(super) struct Isolated {
    pool: Arc<Pool>,
    kind: ComponentKind,
    name: Arc<str>,
}

/// An instance that any process makes again when it needs it: an encoder, or what was loaded.
struct Anywhere {
    of: Isolated,
    number: u64,
    making: Making,
}

/// An instance that one process has, and no other: what was fitted, which only that knows all of, or a runtime.
struct AtHome {
    of: Isolated,
    number: u64,
    /// Of a runtime, whether it is in the sandbox.
    in_sandbox: bool,
    /// None once it has broken.
    process: Mutex<Option<Process>>,
}

impl Isolated {
    pub(super) fn new(pool: &Arc<Pool>, described: &ComponentDescription) -> Self {
        Self {
            pool: pool.clone(),
            kind: described.kind,
            name: described.name.as_str().into(),
        }
    }

    /// Puts the component's name into an error that a process told.
    fn named<T>(&self, outcome: Result<T, PluginError>) -> Result<T, PluginError> {
        outcome.map_err(|error| error.of_component(&self.name))
    }

    fn made(&self, number: u64) -> For<'_> {
        For::New(number, self.kind, &self.name)
    }
}

/// An error of a runtime, which in the sandbox misses most often what the sandbox keeps away.
fn explained(error: PluginError, in_sandbox: bool) -> PluginError {
    match in_sandbox {
        true => error.in_sandbox(),
        false => error,
    }
}

impl Component for Isolated {
    fn make(&self, call: Call, inputs: &[&[u8]], on_progress: OnProgress<'_>) -> Result<Box<dyn Callee>, PluginError> {
        let number = self.pool.number();
        let of = self.clone();
        if !matches!(call, Call::Fit { .. } | Call::Open) {
            let made = self.pool.call(self.made(number), None, call.clone(), (inputs, &mut []));
            if let Err(error) = self.named(made) {
                self.pool.forget(number);
                return Err(error);
            }
            let inputs = inputs.iter().map(|input| input.to_vec()).collect();
            let making = Making { call, inputs };
            return Ok(Box::new(Anywhere { of, number, making }));
        }
        let is_runtime = matches!(call, Call::Open);
        let (process, patience) = match is_runtime {
            true => (self.pool.start_for_runtime()?, self.pool.patience_of_making()),
            false => (self.pool.start_for_fit()?, self.pool.patience_of_fit()),
        };
        let mut process = Some(process);
        let called = process.as_mut().map_or(Ok(Ok(Answer::default())), |process| {
            let arrays = (inputs, &mut [][..]);
            process.call(self.made(number), call, arrays, (patience, on_progress), Vec::new())
        });
        let outcome = self.named(self.pool.outcome(&mut process, called));
        // It is known to its own process alone.
        self.pool.forget(number);
        let in_sandbox = is_runtime && self.pool.confines_runtimes();
        outcome.map_err(|error| explained(error, in_sandbox))?;
        Ok(Box::new(AtHome {
            of,
            number,
            in_sandbox,
            process: Mutex::new(process),
        }))
    }

    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let whom = For::Component(self.kind, &self.name);
        self.named(self.pool.call(whom, None, call, (inputs, outputs)))
    }
}

impl Callee for Anywhere {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let Self { of, number, making } = self;
        let again = Some((making, of.made(*number)));
        let whom = For::Instance(*number);
        of.named(of.pool.call(whom, again, call, (inputs, outputs)))
    }
}

impl Drop for Anywhere {
    fn drop(&mut self) {
        self.of.pool.forget(self.number);
    }
}

impl Callee for AtHome {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let pool = &self.of.pool;
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = process.as_mut() else {
            return Err(pool.gone());
        };
        let (whom, arrays) = (For::Instance(self.number), (inputs, outputs));
        let called = running.call(whom, call, arrays, (pool.patience_of_fit(), &mut |_| true), Vec::new());
        let outcome = self.of.named(pool.outcome(&mut process, called));
        outcome.map_err(|error| explained(error, self.in_sandbox))
    }
}
