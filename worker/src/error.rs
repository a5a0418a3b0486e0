//! Why a worker ends before it was asked to. What it finished is in its state folder.

use lglp_client::Failure;
use lglp_engine::host::PluginError;

use super::spool::SpoolError;

/// What passes by itself is no error: the worker says so and tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum WorkerError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The runtime cannot be opened, or the plugin folder not be read.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The device cannot be shared with other workers.
    #[error("the lock of the device, {path}: {reason}")]
    DeviceLock { path: String, reason: std::io::Error },
    /// Two workers cannot have one name.
    #[error("{0}; each worker needs a name of its own, see --name")]
    Replaced(String),
    #[error(
        "there is no hardware target `{hardware}`; to have it created, say how it is to measure, e.g. --runtime onnxruntime"
    )]
    UnknownHardware { hardware: String },
    /// A token that is no good, for one.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The server says what this program does not understand.
    #[error("the server's {what} is not understood: {reason}; is this lglp, {}, older than the server's?", env!("CARGO_PKG_VERSION"))]
    Incompatible { what: &'static str, reason: String },
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
}

impl From<Failure> for WorkerError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.to_string())
    }
}
