//! Building engines.

use std::ffi::c_void;
use std::path::Path;

use lglp_sdk::helper::Refusal;

use crate::shim::{self, step};
use crate::tensorrt;
use crate::wire::Build;

/// What a build leaves.
#[derive(Default)]
struct Built {
    complaints: Vec<String>,
    plan: Vec<u8>,
    timing_cache: Vec<u8>,
}

/// Builds a plan; the timing cache is read, and written with what this build added to it.
pub(crate) fn build(wanted: &Build) -> Result<(), Refusal> {
    let tensorrt = tensorrt::open(wanted.library.as_deref())?;
    let onnx = std::fs::read(&wanted.onnx)
        .map_err(|problem| Refusal::Failed(format!("{}: {problem}", wanted.onnx.display())))?;
    let known = wanted
        .timing_cache
        .as_deref()
        .map(|path| std::fs::read(path).unwrap_or_default());
    let known = known.unwrap_or_default();
    let settings = shim::Build {
        onnx: onnx.as_ptr().cast(),
        onnx_length: onnx.len(),
        workspace: wanted.workspace_mib.unwrap_or(0) << 20,
        optimization_level: wanted.optimization_level.map_or(-1, i32::from),
        fp16: wanted.fp16.into(),
        capability: wanted.compute_capability.map_or(0, i32::from),
        timing_cache: known.as_ptr().cast(),
        timing_cache_length: known.len(),
    };
    let mut built = Built::default();
    // SAFETY: all of it outlives the call; the sinks get what they are given as target.
    let ended = unsafe {
        let target = (&raw mut built).cast();
        shim::lglp_build(&tensorrt.shim, &settings, target, complain, keep_plan, keep_cache)
    };
    let version = &tensorrt.found.version;
    match ended {
        step::DONE => {}
        step::NOT_PARSED => {
            let complaints = built.complaints.join("; ");
            return Err(Refusal::Failed(format!(
                "TensorRT {version} does not parse the network: {complaints}"
            )));
        }
        step::NO_CAPABILITY => {
            let asked = wanted.compute_capability.unwrap_or_default();
            return Err(Refusal::Unavailable(format!(
                "TensorRT {version} does not build for compute capability {}.{}",
                asked / 10,
                asked % 10
            )));
        }
        step::UNKNOWN_VERSION | step::NO_BUILDER | step::NO_PARSER => {
            return Err(Refusal::Unavailable(format!(
                "TensorRT {version} does not start{}",
                shim::complaint()
            )));
        }
        _ => {
            return Err(Refusal::Failed(format!(
                "TensorRT {version} builds no engine of this network{}",
                shim::complaint()
            )));
        }
    }
    write(&wanted.plan, &built.plan)?;
    match wanted.timing_cache.as_deref() {
        Some(path) if !built.timing_cache.is_empty() => write(path, &built.timing_cache),
        _ => Ok(()),
    }
}

/// Renamed into place: whoever reads has the old content or the new one.
fn write(path: &Path, content: &[u8]) -> Result<(), Refusal> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&beside, content).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|problem| Refusal::Failed(format!("cannot write {}: {problem}", path.display())))
}

unsafe extern "C" fn complain(target: *mut c_void, data: *const c_void, length: usize) {
    // SAFETY: as `build` and the shim call it.
    let (built, text) = unsafe { given(target, data, length) };
    built.complaints.push(String::from_utf8_lossy(text).into_owned());
}

unsafe extern "C" fn keep_plan(target: *mut c_void, data: *const c_void, length: usize) {
    // SAFETY: as `build` and the shim call it.
    let (built, plan) = unsafe { given(target, data, length) };
    built.plan = plan.to_vec();
}

unsafe extern "C" fn keep_cache(target: *mut c_void, data: *const c_void, length: usize) {
    // SAFETY: as `build` and the shim call it.
    let (built, cache) = unsafe { given(target, data, length) };
    built.timing_cache = cache.to_vec();
}

/// # Safety
/// `target` is the `Built` of a running build, and `data` leads to so many bytes.
unsafe fn given<'a>(target: *mut c_void, data: *const c_void, length: usize) -> (&'a mut Built, &'a [u8]) {
    // SAFETY: by the contract of this function.
    unsafe {
        (
            &mut *target.cast::<Built>(),
            std::slice::from_raw_parts(data.cast::<u8>(), length),
        )
    }
}
