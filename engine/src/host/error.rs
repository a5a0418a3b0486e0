//! What goes wrong with plugins. Errors of a plugin's own code keep their text; the variant says who is to act.

use super::ComponentKind;

/// An error of the plugin host or of a plugin.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The plugin folder cannot be read.
    #[error("{0}")]
    Folder(String),
    /// The file cannot be loaded: a missing native library, a crash while loading.
    #[error("{0}")]
    NotLoadable(String),
    /// The file loads but is no plugin that this host takes.
    #[error("{0}")]
    Rejected(String),
    /// A recipe or hardware target names a component that no plugin provides.
    #[error(
        "no {kind} `{name}` in {folder}; available: {}{}",
        if available.is_empty() { "none" } else { available },
        if broken.is_empty() { String::new() } else { format!(" (unavailable: {broken})") }
    )]
    NoSuchComponent {
        kind: ComponentKind,
        name: String,
        available: String,
        folder: String,
        broken: String,
    },
    /// A hardware target names a runtime that neither a plugin provides nor the machine's file configures.
    #[error(
        "{missing}; the machine's runtimes.toml configures {}",
        if configured.is_empty() { "none" } else { configured }
    )]
    NoSuchRuntime { missing: String, configured: String },
    /// What a machine starts, loads and opens is for its owner to say.
    #[error(
        "what `{setting}` of `{runtime}` is, the owner of the machine that measures decides: put it into the runtimes.toml of \
         that machine, under a name of your choice ([my-{runtime}], runtime = \"{runtime}\", settings.{setting} = ...), and \
         give that name as the runtime"
    )]
    MachineOnly { runtime: String, setting: String },
    /// A target was measured by what another machine's owner, or this one's at another time, had decided.
    #[error(
        "`{runtime}` was set up by the owner of the machine that measured before, and this machine has nothing of that name: \
         put it into runtimes.toml, or give --runtime and --set as for the first measurement"
    )]
    NotConfigured { runtime: String },
    /// What the machine's owner decided cannot be used.
    #[error("{0}")]
    Machine(String),
    /// Parameters that the component does not take.
    #[error("parameters of {component}: {message}")]
    InvalidParameters { component: String, message: String },
    /// The component cannot work here: a device or library is missing.
    #[error("{component} is unavailable: {message}")]
    Unavailable { component: String, message: String },
    /// Fitted state that the component does not read.
    #[error("{component} does not read this state: {message}")]
    UnsupportedState { component: String, message: String },
    /// The component panicked; its instance is of no use any more.
    #[error("{component} panicked: {message}")]
    Panicked { component: String, message: String },
    /// Calls into the plugin are overdue: it is asked nothing more.
    #[error("the plugin `{plugin}` is {reason}")]
    Quarantined { plugin: String, reason: String },
    /// A call on behalf of a version is overdue: no plugin is called for it.
    #[error("{tenant} is {reason}")]
    TenantQuarantined { tenant: String, reason: String },
    /// Cancelled through the progress callback.
    #[error("{component}: cancelled")]
    Cancelled { component: String },
    /// The component does not do this.
    #[error("{component} does not offer this")]
    NotOffered { component: String },
    /// Networks of a batch would take more of this machine's memory than they may.
    #[error(
        "a network with {batch} inputs at once takes some {takes_mib} MiB, and may take {limit_mib} MiB here: measure with at \
         most {largest} inputs at once, or start lglp with a larger --network-memory"
    )]
    BatchTooLarge {
        batch: u32,
        takes_mib: u64,
        limit_mib: u64,
        largest: u64,
    },
    /// The component failed on this input.
    #[error("{component}: {message}")]
    Failed { component: String, message: String },
}
