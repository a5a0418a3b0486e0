//! The table of an encoder.

use std::ffi::c_void;

use super::data::{Buffer, Operator, Str};

/// Callbacks of an encoder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EncoderTable {
    /// Prepares the encoding of one space. `space_json`: the space, with the fields of its TOML file. `row_len`: bytes of one
    /// architecture's row in that space. `parameters_json`: an object that keeps to the schema. Both texts are valid during the call.
    /// On `STATUS_OK`, `*instance` is a pointer of the plugin's own, which the host passes on until `destroy`; on any other status the
    /// host does not look at it.
    pub create: unsafe extern "C" fn(
        space_json: Str,
        row_len: usize,
        parameters_json: Str,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Frees an instance that `create` made. Called at most once, from any thread, when no other call on the instance runs or follows;
    /// not at all where a call did not come back in time, so that the plugin, or the version that it was called for, is in quarantine.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Writes the shape of one encoded architecture, the same for all of them: the host asks once, after `create`. Encoders that read
    /// operators are not asked, and answer `STATUS_NOT_OFFERED`. Where the status is not `STATUS_OK`, the encoder is not used.
    pub shape: unsafe extern "C" fn(instance: *const c_void, steps: *mut usize, width: *mut usize) -> u32,
    /// Encodes `count` architectures. `rows`: `count * row_len` bytes. `out`: `count * steps * width` zeros, allocated by the host. Both
    /// are valid during the call; on any other status than `STATUS_OK` the host does not look at `out`.
    pub encode: unsafe extern "C" fn(
        instance: *const c_void,
        rows: *const u8,
        count: usize,
        row_len: usize,
        out: *mut f32,
        error: *mut Buffer,
    ) -> u32,
    /// Since minor version 2. The shape for networks of so many operators at most, in the place of `shape`. Set, with
    /// `encode_operators`, in encoders that read operators; null in those that read rows.
    pub shape_of_operators: Option<
        unsafe extern "C" fn(instance: *const c_void, operators: usize, steps: *mut usize, width: *mut usize) -> u32,
    >,
    /// Since minor version 2. Encodes `count` networks: the operators of network `i` are those before `ends[i]` that are no
    /// earlier network's. `out`: `count * steps * width` zeros, for `most` operators at most, allocated by the host.
    pub encode_operators: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            operators: *const Operator,
            ends: *const usize,
            count: usize,
            most: usize,
            out: *mut f32,
            error: *mut Buffer,
        ) -> u32,
    >,
}
