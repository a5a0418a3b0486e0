//! From safe traits to C callbacks: errors and panics become statuses, memory is handed over with its `free`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::abi::*;
use super::{Labelled, PluginError, Shape, Tensor};

#[cfg(not(panic = "unwind"))]
compile_error!("lglp plugins catch panics at their boundary: build with panic = \"unwind\"");

/// An instance behind a C pointer.
pub(super) struct Instance<T> {
    pub value: T,
    poisoned: AtomicBool,
}

/// Runs `body`, turning an error or a panic into a status and a message.
///
/// # Safety
/// `error` is null or points to an empty [`Buffer`].
pub(super) unsafe fn guard(error: *mut Buffer, body: impl FnOnce() -> Result<(), PluginError>) -> u32 {
    let (status, message) = match caught(body) {
        Ok(Ok(())) => return STATUS_OK,
        Ok(Err(e)) => match e {
            PluginError::Failed(m) => (STATUS_FAILED, m),
            PluginError::InvalidParameters(m) => (STATUS_INVALID_PARAMETERS, m),
            PluginError::UnsupportedState(m) => (STATUS_UNSUPPORTED_STATE, m),
            PluginError::Unavailable(m) => (STATUS_UNAVAILABLE, m),
            PluginError::Cancelled => (STATUS_CANCELLED, "cancelled".into()),
            PluginError::NotOffered => (STATUS_NOT_OFFERED, "not offered".into()),
        },
        Err(message) => (STATUS_PANICKED, message),
    };
    // SAFETY: by the contract of this function.
    unsafe { give(error, message.into_bytes()) };
    status
}

thread_local! {
    /// Whether this thread is inside of [`caught`].
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic that was caught on this thread happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `body`; what a panic said, and where. Nothing is printed: the host logs the error that comes of it, as often as it likes,
/// while inputs that make a plugin panic may be sent without end.
fn caught<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if IS_CAUGHT.get() {
                PLACE.set(panic.location().map(ToString::to_string));
            } else {
                before(panic);
            }
        }));
    });
    let outer = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    IS_CAUGHT.set(outer);
    result.map_err(|panic| {
        let message = panic_message(panic.as_ref());
        match PLACE.take() {
            Some(place) => format!("{message} (at {place})"),
            None => message,
        }
    })
}

/// Runs `body` on an instance; a panic poisons it, and a poisoned instance answers nothing any more.
///
/// # Safety
/// `instance` comes from [`into_pointer`] with the same `T`; `error` as in [`guard`].
pub(super) unsafe fn guard_instance<T>(
    instance: *const std::ffi::c_void,
    error: *mut Buffer,
    body: impl FnOnce(&T) -> Result<(), PluginError>,
) -> u32 {
    // SAFETY: by the contract of this function.
    let instance = unsafe { &*instance.cast::<Instance<T>>() };
    if instance.poisoned.load(Ordering::Acquire) {
        // SAFETY: by the contract of this function.
        unsafe { give(error, b"an earlier call on this instance panicked".to_vec()) };
        return STATUS_POISONED;
    }
    // SAFETY: by the contract of this function.
    let status = unsafe { guard(error, || body(&instance.value)) };
    if status == STATUS_PANICKED {
        instance.poisoned.store(true, Ordering::Release);
    }
    status
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked with a value that is no text".into())
}

/// Hands bytes over to the host.
///
/// # Safety
/// `target` is null or points to an empty [`Buffer`].
pub(super) unsafe fn give(target: *mut Buffer, bytes: Vec<u8>) {
    if target.is_null() {
        return;
    }
    let mut bytes = std::mem::ManuallyDrop::new(bytes);
    // SAFETY: by the contract of this function.
    unsafe {
        target.write(Buffer {
            data: bytes.as_mut_ptr(),
            len: bytes.len(),
            capacity: bytes.capacity(),
            free: Some(free_bytes),
        });
    }
}

unsafe extern "C" fn free_bytes(buffer: *mut Buffer) {
    // SAFETY: `give` took these three numbers from a `Vec`, and the host calls this once.
    unsafe {
        let b = buffer.replace(Buffer::EMPTY);
        drop(Vec::from_raw_parts(b.data, b.len, b.capacity));
    }
}

pub(super) fn into_pointer<T>(value: T) -> *mut std::ffi::c_void {
    let poisoned = AtomicBool::new(false);
    Box::into_raw(Box::new(Instance { value, poisoned })).cast()
}

/// Drops an instance; a panic in its `Drop` stays inside the plugin.
///
/// # Safety
/// `instance` comes from [`into_pointer`] with the same `T` and is not used again.
pub(super) unsafe extern "C" fn drop_instance<T>(instance: *mut std::ffi::c_void) {
    // SAFETY: by the contract of this function.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<T>>()) };
    let _ = caught(move || drop(instance));
}

/// # Safety
/// The view must describe memory that lives and stays unchanged for `'a`.
pub(super) unsafe fn tensor<'a>(view: TensorView) -> Tensor<'a> {
    let shape = Shape {
        steps: view.steps,
        width: view.width,
    };
    Tensor {
        // SAFETY: by the contract of this function.
        data: unsafe { slice(view.data, view.rows * shape.len()) },
        rows: view.rows,
        shape,
    }
}

/// # Safety
/// As [`tensor`]; `targets` holds a value for each row.
pub(super) unsafe fn labelled<'a>(view: TensorView, targets: *const f64) -> Labelled<'a> {
    Labelled {
        // SAFETY: by the contract of this function.
        inputs: unsafe { tensor(view) },
        // SAFETY: by the contract of this function.
        targets: unsafe { slice(targets, view.rows) },
    }
}

/// # Safety
/// `data` must point to `len` values that live for `'a` and that nothing else touches, unless `len` is 0.
pub(super) unsafe fn slice_mut<'a, T>(data: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts_mut(data, len) }
}
