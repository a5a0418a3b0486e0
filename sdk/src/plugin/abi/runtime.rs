//! The table of a runtime.

use std::ffi::c_void;

use super::data::{Buffer, Str};

/// Callbacks of a runtime.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RuntimeTable {
    /// Opens a device, or whatever runs the networks. `parameters_json`: the hardware target's settings with those of the machine's
    /// owner, an object that keeps to the schema, valid during the call. On `STATUS_OK`, `*instance` is a pointer of the plugin's own,
    /// which the host passes on until `close`; on any other status the host does not look at it. `STATUS_UNAVAILABLE`: a library or a
    /// device is missing here.
    pub open: unsafe extern "C" fn(parameters_json: Str, instance: *mut *mut c_void, error: *mut Buffer) -> u32,
    /// Frees what `open` made. Called at most once, from any thread, when all of its networks are unloaded and no other call on it runs.
    pub close: unsafe extern "C" fn(instance: *mut c_void),
    /// Writes a JSON object that tells what was opened, such as library version, device and precision: part of the hardware target's
    /// fingerprint. `json` is empty before.
    pub describe: unsafe extern "C" fn(instance: *const c_void, json: *mut Buffer, error: *mut Buffer) -> u32,
    /// Prepares a network, whose single input the plugin fills with seeded random values. `onnx`: an ONNX model of `onnx_len` bytes, the
    /// host's, valid during the call. On `STATUS_OK`, `*network` is a pointer of the plugin's own, which the host passes on until
    /// `unload`; on any other status the host does not look at it. Several networks may be loaded at a time.
    pub load: unsafe extern "C" fn(
        instance: *const c_void,
        onnx: *const u8,
        onnx_len: usize,
        network: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Frees what `load` made. Called at most once, from any thread, when no run of it is left; the runtime is still open.
    pub unload: unsafe extern "C" fn(network: *mut c_void),
    /// Runs once; nanoseconds of elapsed time and of the calling thread's processor time (0: not known).
    pub run: unsafe extern "C" fn(
        instance: *const c_void,
        network: *mut c_void,
        wall_ns: *mut u64,
        cpu_ns: *mut u64,
        error: *mut Buffer,
    ) -> u32,
    /// Since minor version 1. Runs to ask `run_many` for at a time: 1 where a call costs nothing beside its runs, more where
    /// each has a price of its own, such as the start of a program. Null stands for 1.
    pub runs_at_once: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// Since minor version 1. Runs about `runs` times in a row, once at least; `samples` becomes an array of `RunSample`, one
    /// a run, `len` bytes in all. Null where `run` is all there is.
    pub run_many: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            network: *mut c_void,
            runs: usize,
            samples: *mut Buffer,
            error: *mut Buffer,
        ) -> u32,
    >,
}
