//! What callbacks are given and give.

use std::ffi::c_void;

/// Borrowed UTF-8, valid during the call, or for ever within a table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    /// `len` bytes of UTF-8, not terminated; anything where `len` is 0.
    pub data: *const u8,
    /// Bytes, not characters.
    pub len: usize,
}

/// Bytes that the plugin allocated. The host calls `free` exactly once if it is not null.
#[repr(C)]
pub struct Buffer {
    /// `len` bytes, of any alignment, left alone until `free` is called; anything where `len` is 0.
    pub data: *mut u8,
    /// Bytes that the host is to read.
    pub len: usize,
    /// For `free` alone, such as the bytes that were allocated: the host does not look at it.
    pub capacity: usize,
    /// Frees what `data` leads to. The host calls it on the thread that made the call, once it has copied the bytes, whatever the status;
    /// `buffer` has the plugin's values, perhaps at another address. Null: the buffer counts as empty, whatever `data` and `len` are.
    pub free: Option<unsafe extern "C" fn(buffer: *mut Buffer)>,
}

/// Borrowed bytes, valid during the call. Since minor version 2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    /// `len` bytes, of any alignment; anything where `len` is 0.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// A batch, row-major `[rows, steps, width]`; `data` may be dangling where there are no values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TensorView {
    /// `rows * steps * width` values. They are the host's: valid and unchanged during the call.
    pub data: *const f32,
    /// Encoded architectures, their features, or parts of networks.
    pub rows: usize,
    /// Vectors of a row; 1 in features and flat encodings.
    pub steps: usize,
    /// Values of a vector.
    pub width: usize,
}

/// What a component is fitted on. Targets: one per row, in milliseconds or whatever else the recipe says.
#[repr(C)]
pub struct FitData {
    /// What to learn from. All that this struct leads to is the host's and valid during the call.
    pub train: TensorView,
    /// `train.rows` values, finite and above 0.
    pub train_targets: *const f64,
    /// Held out for early stopping, with the steps and width of `train`; may have no rows.
    pub validation: TensorView,
    /// `validation.rows` values, finite and above 0; anything where there are no rows.
    pub validation_targets: *const f64,
    /// Every random choice must follow from it: the same seed and data give the same state.
    pub seed: u64,
    /// Passed to `progress` unchanged.
    pub progress_context: *mut c_void,
    /// Returns 0 to go on, anything else to cancel. Called from the fitting thread. Mean squared errors, or NaN.
    pub progress: Option<
        unsafe extern "C" fn(context: *mut c_void, done: u64, total: u64, train_mse: f64, validation_mse: f64) -> u32,
    >,
}

/// One timed run.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RunSample {
    /// Elapsed time.
    pub wall_ns: u64,
    /// Processor time of the calling thread; 0: not known.
    pub cpu_ns: u64,
    /// Energy of the device, microjoules; 0: not known.
    pub energy_uj: u64,
}

/// One operator of a network at batch 1, float32: what a runtime executes in one go, or nearly so. An activation belongs to what it
/// follows. Since minor version 2.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// `OPERATOR_*`; more may come.
    pub kind: u32,
    /// Side of the kernel; 0 where there is none.
    pub kernel: u32,
    /// Of a kernel; 0 where there is none.
    pub stride: u32,
    /// Groups of channels that a convolution keeps apart; 0 where there is none.
    pub groups: u32,
    /// Channels of the input; of each of the two values in a sum.
    pub channels_in: u32,
    /// Channels of the output; the outputs of a fully connected layer.
    pub channels_out: u32,
    /// Height and width of the input, pixels.
    pub side_in: u32,
    /// Height and width of the output, pixels.
    pub side_out: u32,
    /// `ACTIVATION_*`; more may come.
    pub activation: u32,
    /// The searched block that it is in, from 1; 0 outside of them.
    pub block: u32,
    /// The layer of the block, from 1; 0 outside of them.
    pub layer: u32,
    /// Kernels that it launches, one after another.
    pub launches: u32,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Bytes of values read and written.
    pub activation_bytes: u64,
    /// Bytes of weights and biases.
    pub weight_bytes: u64,
}

impl Str {
    /// A view of `text`.
    pub const fn new(text: &str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The text, or `None` where it is not UTF-8.
    ///
    /// # Safety
    /// `data` must point to `len` bytes that live and stay unchanged for `'a`.
    pub unsafe fn as_str<'a>(self) -> Option<&'a str> {
        // SAFETY: by the contract of this function.
        std::str::from_utf8(unsafe { slice(self.data, self.len) }).ok()
    }
}

impl Buffer {
    /// A buffer that nothing was put into.
    pub const EMPTY: Self = Self {
        data: std::ptr::null_mut(),
        len: 0,
        capacity: 0,
        free: None,
    };
}

/// A slice of foreign memory; an empty one where there is nothing, whatever the pointer.
///
/// # Safety
/// `data` must point to `len` values that live and stay unchanged for `'a`, unless `len` is 0.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts(data, len) }
}
