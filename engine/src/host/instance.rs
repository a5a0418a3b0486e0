//! An instance of a component: whom it is called for, and whether it may be.

use std::mem::{Discriminant, ManuallyDrop, discriminant};

use super::calls::{Answer, Call, Callee, OnProgress};
use super::health::{self, InCall};
use super::{ComponentHandle, PluginError};

/// An instance of a component, wherever it runs.
pub(super) struct Instance {
    handle: ComponentHandle,
    callee: ManuallyDrop<Box<dyn Callee>>,
}

impl Instance {
    /// Makes one; `on_progress` is told how a fit goes.
    pub(super) fn make(
        handle: &ComponentHandle,
        call: Call,
        inputs: &[&[u8]],
        on_progress: OnProgress<'_>,
    ) -> Result<Self, PluginError> {
        let kind = discriminant(&call);
        let is_fit = matches!(call, Call::Fit { .. });
        let make = || handle.reached().make(call, inputs, on_progress);
        // A fit that fails is a failure of its own: what was fitted before is served on.
        let callee = match is_fit && handle.is_isolated() {
            true => handle.admit().and_then(|()| make()),
            false => guarded(handle, kind, make),
        }?;
        Ok(Self {
            handle: handle.clone(),
            callee: ManuallyDrop::new(callee),
        })
    }

    pub(super) fn handle(&self) -> &ComponentHandle {
        &self.handle
    }

    pub(super) fn runs_apart(&self) -> bool {
        self.handle.is_isolated()
    }

    pub(super) fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let kind = discriminant(&call);
        guarded(&self.handle, kind, || self.callee.call(call, inputs, outputs))
    }
}

/// Calls a plugin that it may not come back from: refused where it, or the version on whose behalf it is called, is in quarantine, and
/// seen by whoever watches the calling thread.
pub(super) fn guarded<T>(
    handle: &ComponentHandle,
    kind: Discriminant<Call>,
    call: impl FnOnce() -> Result<T, PluginError>,
) -> Result<T, PluginError> {
    handle.admit()?;
    if handle.is_isolated() {
        // It has deadlines of its own.
        let outcome = call();
        let kind = || format!("{} {kind:?}", handle.name());
        handle.health().learn(handle.tenant(), kind, &outcome);
        return outcome;
    }
    let _in_call = enter(handle);
    call()
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What does not answer in this process is not asked to clean up either: its memory is lost.
        if !self.handle.is_isolated() && self.handle.admit().is_err() {
            return;
        }
        let _in_call = (!self.handle.is_isolated()).then(|| enter(&self.handle));
        // SAFETY: used no more.
        unsafe { ManuallyDrop::drop(&mut self.callee) }
    }
}

/// Says that the calling thread, where it is watched, enters a plugin in this process.
fn enter(handle: &ComponentHandle) -> InCall {
    health::enter(handle.health(), handle.tenant(), handle.name())
}
