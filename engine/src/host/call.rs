//! Calling across the boundary: statuses and buffers become results.

use std::path::PathBuf;

use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::plugin::abi::{self, Buffer};

use super::{ComponentHandle, PluginError, health};

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
pub(super) fn take(mut buffer: Buffer) -> Vec<u8> {
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
    let message = Excerpt::within(String::from_utf8_lossy(&take(error)), MESSAGE).to_string();
    let component = component.to_owned();
    match status {
        abi::STATUS_OK => Ok(()),
        abi::STATUS_PANICKED | abi::STATUS_POISONED => Err(PluginError::Panicked { component, message }),
        abi::STATUS_INVALID_PARAMETERS => Err(PluginError::InvalidParameters { component, message }),
        abi::STATUS_UNSUPPORTED_STATE => Err(PluginError::UnsupportedState { component, message }),
        abi::STATUS_UNAVAILABLE => Err(PluginError::Unavailable { component, message }),
        abi::STATUS_CANCELLED => Err(PluginError::Cancelled { component }),
        abi::STATUS_NOT_OFFERED => Err(PluginError::NotOffered { component }),
        abi::STATUS_FAILED => Err(PluginError::Failed { component, message }),
        other => Err(PluginError::Failed {
            component,
            message: format!("unknown status {other}: {message}"),
        }),
    }
}

/// As [`checked`], for calls that a plugin may not come back from: refused where it, or the version on
/// whose behalf it is called, is in quarantine, and seen by whoever
/// watches the calling thread.
pub(super) fn watched(handle: &ComponentHandle, call: impl FnOnce(*mut Buffer) -> u32) -> Result<(), PluginError> {
    handle.admit()?;
    let _in_call = health::enter(handle);
    checked(handle.name(), call)
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
