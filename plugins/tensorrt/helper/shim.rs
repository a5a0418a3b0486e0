//! The C++ shim, as it speaks C.

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Mutex, PoisonError};

pub(crate) type Create = unsafe extern "C" fn(about: *mut c_void, version: i32) -> *mut c_void;
pub(crate) type CreateParser =
    unsafe extern "C" fn(network: *mut c_void, logger: *mut c_void, version: i32) -> *mut c_void;
pub(crate) type Sink = unsafe extern "C" fn(target: *mut c_void, data: *const c_void, length: usize);

/// `LglpLibrary`.
#[repr(C)]
pub(crate) struct Library {
    pub version: i32,
    pub create_builder: Create,
    pub create_runtime: Create,
    pub create_parser: CreateParser,
    pub parser_version: i32,
    pub say: unsafe extern "C" fn(severity: i32, text: *const c_char),
}

/// `LglpBuild`.
#[repr(C)]
pub(crate) struct Build {
    pub onnx: *const c_void,
    pub onnx_length: usize,
    pub workspace: u64,
    pub optimization_level: i32,
    pub fp16: i32,
    pub capability: i32,
    pub timing_cache: *const c_void,
    pub timing_cache_length: usize,
}

/// `LglpTensor`.
#[repr(C)]
pub(crate) struct Tensor {
    pub name: *const c_char,
    pub kind: i32,
    pub is_input: i32,
    pub dimensions: i32,
    pub sides: [i64; 8],
}

/// `LglpExecution`.
#[repr(C)]
pub(crate) struct Execution {
    layout: *const c_void,
    engine: *mut c_void,
    context: *mut c_void,
}

impl Execution {
    pub(crate) const EMPTY: Self = Self {
        layout: std::ptr::null(),
        engine: std::ptr::null_mut(),
        context: std::ptr::null_mut(),
    };
}

/// `LglpStep`: where a build ended.
pub(crate) mod step {
    pub(crate) const DONE: i32 = 0;
    pub(crate) const UNKNOWN_VERSION: i32 = 1;
    pub(crate) const NO_BUILDER: i32 = 2;
    pub(crate) const NO_PARSER: i32 = 3;
    pub(crate) const NOT_PARSED: i32 = 4;
    pub(crate) const NO_CAPABILITY: i32 = 5;
}

/// Room for the shim's logger: two words.
pub(crate) type Logger = [usize; 2];

#[link(name = "lglp_tensorrt_shim", kind = "static")]
unsafe extern "C" {
    pub(crate) fn lglp_layout(version: i32) -> *const c_void;
    pub(crate) fn lglp_build(
        library: *const Library,
        wanted: *const Build,
        target: *mut c_void,
        complaint: Sink,
        plan: Sink,
        cache: Sink,
    ) -> i32;
    pub(crate) fn lglp_load(
        library: *const Library,
        plan: *const c_void,
        length: usize,
        logger: *mut Logger,
        out: *mut Execution,
    ) -> bool;
    pub(crate) fn lglp_tensor_count(execution: *const Execution) -> i32;
    pub(crate) fn lglp_tensor(execution: *const Execution, index: i32, out: *mut Tensor);
    pub(crate) fn lglp_bind(execution: *const Execution, name: *const c_char, memory: *mut c_void) -> bool;
    pub(crate) fn lglp_enqueue(execution: *const Execution, stream: *mut c_void) -> bool;
}

/// What TensorRT complained of last.
static COMPLAINT: Mutex<String> = Mutex::new(String::new());

/// What TensorRT says: its errors, on standard error and for [`complaint`].
pub(crate) unsafe extern "C" fn say(severity: i32, text: *const c_char) {
    // ILogger::Severity: 0 internal error, 1 error, 2 warning, 3 information, 4 all the rest.
    if severity <= 1 && !text.is_null() {
        // SAFETY: TensorRT ends its texts with a 0.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        eprintln!("TensorRT: {text}");
        *COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner) = text.into_owned();
    }
}

/// What TensorRT complained of last, as the end of a sentence.
pub(crate) fn complaint() -> String {
    let last = COMPLAINT.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_empty() {
        String::new()
    } else {
        format!(": {last}")
    }
}
