//! Opening libonnxruntime, once per process.

use std::path::PathBuf;
use std::sync::OnceLock;

use lglp_sdk::plugin::{PluginError, native_folder};
use ort::environment::Environment;

/// The pinned version; its shared library carries it in the name.
pub const VERSION: &str = "1.32.0";

fn path() -> PathBuf {
    native_folder().join(format!("libonnxruntime.so.{VERSION}"))
}

/// Whether the library is there; opening it, 35 MB, waits until something is to be measured.
pub fn check() -> Result<(), PluginError> {
    let path = path();
    if path.is_file() {
        return Ok(());
    }
    let message = format!("{} is missing; run `make native`", path.display());
    Err(PluginError::Unavailable(message))
}

/// Opens the library.
pub fn environment() -> Result<&'static Environment, PluginError> {
    static OPENED: OnceLock<Result<Environment, String>> = OnceLock::new();
    let opened = OPENED.get_or_init(|| {
        let path = path();
        // By `init_from`, which reports what is wrong: the environment variable's way panics.
        let builder = ort::init_from(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let environment = builder.with_name("lglp").with_telemetry(false).build();
        environment.map_err(|e| format!("{}: {e}", path.display()))
    });
    opened
        .as_ref()
        .map_err(|reason| PluginError::Unavailable(reason.clone()))
}
