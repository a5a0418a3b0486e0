//! Calling across the boundary: statuses and buffers become results.

use std::ffi::c_void;
use std::path::PathBuf;

use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::plugin::abi::{self, Buffer};

use crate::host::PluginError;

/// Where native libraries lie: `LGLP_NATIVE`, else beside the program, else where `make native` puts them.
pub fn native_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("LGLP_NATIVE") {
        return PathBuf::from(folder);
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("native")));
    beside
        .filter(|folder| folder.is_dir())
        .unwrap_or_else(|| PathBuf::from(".native/lib"))
}

/// Takes the bytes out of a buffer and has the plugin free it.
fn take(mut buffer: Buffer) -> Vec<u8> {
    let Some(free) = buffer.free else { return Vec::new() };
    let bytes = if buffer.data.is_null() || buffer.len == 0 {
        Vec::new()
    } else {
        // SAFETY: the plugin filled the buffer, and it lives until `free`.
        unsafe { std::slice::from_raw_parts(buffer.data, buffer.len) }.to_vec()
    };
    // SAFETY: called once, on the buffer as the plugin gave it.
    unsafe { free(&mut buffer) };
    bytes
}

/// Calls a callback with an empty error buffer and turns what it answers into a result.
pub(super) fn checked(component: &str, call: impl FnOnce(*mut Buffer) -> u32) -> Result<(), PluginError> {
    let mut error = Buffer::EMPTY;
    let status = call(&mut error);
    outcome(component, status, &take(error))
}

/// What a status and a message mean.
pub(in crate::host) fn outcome(component: &str, status: u32, message: &[u8]) -> Result<(), PluginError> {
    if status == abi::STATUS_OK {
        return Ok(());
    }
    let message = match message {
        [] => "it gives no reason".to_owned(),
        message => Excerpt::within(String::from_utf8_lossy(message), MESSAGE).to_string(),
    };
    let component = component.to_owned();
    Err(match status {
        abi::STATUS_PANICKED | abi::STATUS_POISONED => PluginError::Panicked { component, message },
        abi::STATUS_INVALID_PARAMETERS => PluginError::InvalidParameters { component, message },
        abi::STATUS_UNSUPPORTED_STATE => PluginError::UnsupportedState { component, message },
        abi::STATUS_UNAVAILABLE => PluginError::Unavailable { component, message },
        abi::STATUS_CANCELLED => PluginError::Cancelled { component },
        abi::STATUS_NOT_OFFERED => PluginError::NotOffered { component },
        abi::STATUS_FAILED => PluginError::Failed { component, message },
        other => PluginError::Failed {
            component,
            message: format!("unknown status {other}: {message}"),
        },
    })
}

/// What a plugin has made, and is asked by. By the ABI's contract callbacks may be called from any thread, several at once, but for those
/// that end it, which have it alone, and those of one network, which the host keeps apart.
#[derive(Clone, Copy)]
pub(super) struct Made(*mut c_void);

// SAFETY: as above.
unsafe impl Send for Made {}
// SAFETY: as above.
unsafe impl Sync for Made {}

impl Made {
    pub(super) fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// Calls a callback that makes something.
pub(super) fn made(
    component: &str,
    call: impl FnOnce(*mut *mut c_void, *mut Buffer) -> u32,
) -> Result<Made, PluginError> {
    let mut instance = std::ptr::null_mut();
    checked(component, |error| call(&mut instance, error))?;
    Ok(Made(instance))
}

/// That a component does not do this.
pub(super) fn not_offered(component: &str) -> PluginError {
    let component = component.to_owned();
    PluginError::NotOffered { component }
}

/// As [`checked`], for callbacks that fill a buffer.
pub(super) fn bytes(
    component: &str,
    call: impl FnOnce(*mut Buffer, *mut Buffer) -> u32,
) -> Result<Vec<u8>, PluginError> {
    let mut out = Buffer::EMPTY;
    let result = checked(component, |error| call(&mut out, error));
    let bytes = take(out);
    result.map(|()| bytes)
}
