//! What a plugin reports when it cannot do what it was asked.

/// An error of a plugin. The variant decides what the host does; the text reaches the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The operation failed on this input; the instance stays usable.
    #[error("{0}")]
    Failed(String),
    /// The parameters are not acceptable: names the parameter and what is allowed.
    #[error("invalid parameters: {0}")]
    InvalidParameters(String),
    /// Fitted state of a format or version that this plugin does not read, or damaged state.
    #[error("unsupported state: {0}")]
    UnsupportedState(String),
    /// Something outside the plugin is missing: a native library, a device.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The host asked for an end through the progress callback.
    #[error("cancelled")]
    Cancelled,
    /// The component does not do this; the host goes on without.
    #[error("not offered")]
    NotOffered,
}

impl PluginError {
    /// An operation that failed, from whatever error it failed with.
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}
