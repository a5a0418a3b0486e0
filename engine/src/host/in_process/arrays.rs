//! Arrays as C takes them, of the bytes that a call has.

use lglp_sdk::plugin::abi::{Bytes, Operator, Str, TensorView};

use crate::host::PluginError;
use crate::host::calls::{Call, Dimensions};

/// A batch of inputs.
pub(super) fn view(bytes: &[u8], of: Dimensions) -> TensorView {
    let values: &[f32] = bytemuck::cast_slice(bytes);
    let Dimensions { rows, steps, width } = of;
    assert_eq!(values.len(), rows * steps * width, "as many values as the shape has");
    TensorView {
        data: values.as_ptr(),
        rows,
        steps,
        width,
    }
}

/// Numbers, so many of them.
pub(super) fn numbers<T: bytemuck::AnyBitPattern>(bytes: &[u8], count: usize) -> *const T {
    let values: &[T] = bytemuck::cast_slice(bytes);
    assert_eq!(values.len(), count, "as many numbers as the call says");
    values.as_ptr()
}

/// Room for numbers, so many of them.
pub(super) fn room<T: bytemuck::Pod>(bytes: &mut [u8], count: usize) -> *mut T {
    let values: &mut [T] = bytemuck::cast_slice_mut(bytes);
    assert_eq!(values.len(), count, "room for as many numbers as the call says");
    values.as_mut_ptr()
}

/// Operators, so many of them.
pub(super) fn operators(bytes: &[u8], count: usize) -> *const Operator {
    let operators: *const Operator = bytes.as_ptr().cast();
    assert!(operators.is_aligned() && bytes.len() == count * size_of::<Operator>());
    operators
}

/// States that were learned on other targets.
pub(super) fn states(inputs: &[&[u8]]) -> Vec<Bytes> {
    let bytes = |state: &&[u8]| Bytes {
        data: state.as_ptr(),
        len: state.len(),
    };
    inputs.iter().map(bytes).collect()
}

/// A text of JSON, which the host or its parent wrote.
pub(super) fn text(bytes: &[u8]) -> Str {
    Str::new(std::str::from_utf8(bytes).expect("the host's texts are UTF-8"))
}

/// A call that is another kind's, or has other inputs and outputs.
pub(super) fn unexpected(component: &str, call: &Call) -> PluginError {
    PluginError::Failed {
        component: component.to_owned(),
        message: format!("{call:?} is not for it"),
    }
}
