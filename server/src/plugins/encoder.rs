//! Encoders behind a safe handle.

use std::ffi::c_void;

use lglp_sdk::plugin::Shape;
use lglp_sdk::plugin::abi::{EncoderTable, Str};
use lglp_sdk::{Architecture, SearchSpace};

use super::fitted::Matrix;
use super::{ComponentHandle, Kind, PluginError, call, health};

/// An encoder that is ready for one space.
pub struct EncoderInstance {
    handle: ComponentHandle,
    table: &'static EncoderTable,
    instance: *mut c_void,
    shape: Shape,
    row_len: usize,
}

// SAFETY: by the ABI's contract callbacks may be called from any thread, several at once; `destroy` needs `&mut`.
unsafe impl Send for EncoderInstance {}
// SAFETY: as above.
unsafe impl Sync for EncoderInstance {}

impl EncoderInstance {
    /// Prepares an encoder for a space.
    pub fn new(
        handle: &ComponentHandle,
        space: &SearchSpace,
        parameters: &serde_json::Value,
    ) -> Result<Self, PluginError> {
        debug_assert_eq!(handle.kind(), Kind::Encoder);
        handle.check_parameters(parameters)?;
        // SAFETY: the host admits encoders only with their table, and never unloads it.
        let table = unsafe { &*handle.component.encoder };
        let (space_json, parameters) = (space.to_json(), parameters.to_string());
        let mut instance = std::ptr::null_mut();
        // SAFETY: the texts outlive the call.
        call::watched(handle, |error| unsafe {
            let (space_json, parameters) = (Str::new(&space_json), Str::new(&parameters));
            (table.create)(space_json, space.row_len(), parameters, &mut instance, error)
        })?;
        let mut shape = Shape { steps: 0, width: 0 };
        // SAFETY: the instance was just made.
        call::watched(handle, |_| unsafe {
            (table.shape)(instance, &mut shape.steps, &mut shape.width)
        })?;
        Ok(Self {
            handle: handle.clone(),
            table,
            instance,
            shape,
            row_len: space.row_len(),
        })
    }

    /// Encodes architectures of the space.
    pub fn encode<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture>,
    ) -> Result<Matrix, PluginError> {
        let count = architectures.len();
        let mut rows = Vec::with_capacity(count * self.row_len);
        for architecture in architectures {
            rows.extend_from_slice(architecture.row());
        }
        let mut out = vec![0f32; count * self.shape.len()];
        // SAFETY: `rows` and `out` have the sizes that the contract asks for.
        call::watched(&self.handle, |error| unsafe {
            (self.table.encode)(
                self.instance,
                rows.as_ptr(),
                count,
                self.row_len,
                out.as_mut_ptr(),
                error,
            )
        })?;
        Ok(Matrix {
            data: out,
            rows: count,
            shape: self.shape,
        })
    }
}

impl Drop for EncoderInstance {
    fn drop(&mut self) {
        // What does not answer is not asked to clean up either: its memory is lost.
        if self.handle.admit().is_err() {
            return;
        }
        let _in_call = health::enter(&self.handle);
        // SAFETY: made by `create`, used no more.
        unsafe { (self.table.destroy)(self.instance) }
    }
}
