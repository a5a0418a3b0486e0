//! What goes wrong with plugins. Errors of a plugin's own code keep their text; the variant says who is to act.

use super::ComponentKind;
use crate::networks::NoNetwork;

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
        /// The kind that was asked for.
        kind: ComponentKind,
        /// The name that was asked for.
        name: String,
        /// The names of this kind that there are, separated by commas; empty where there are none.
        available: String,
        /// The plugin folder.
        folder: String,
        /// The files of the folder that cannot be used, with the reasons, separated by semicolons; empty where all can.
        broken: String,
    },
    /// A recipe or hardware target names a component that several plugins provide.
    #[error(
        "the {kind} `{name}` is provided by the plugins {plugins}: say in the recipe which is meant, by plugin = \"...\" beside its name"
    )]
    SeveralProvide {
        /// The kind that was asked for.
        kind: ComponentKind,
        /// The name that was asked for.
        name: String,
        /// The names of the plugins, separated by commas.
        plugins: String,
    },
    /// A hardware target names a runtime that neither a plugin provides nor the machine's file configures.
    #[error(
        "{missing}; the machine's runtimes.toml configures {}",
        if configured.is_empty() { "none" } else { configured }
    )]
    NoSuchRuntime {
        /// What no plugin provides, in the words of `NoSuchComponent`.
        missing: String,
        /// The names that the machine's owner has set runtimes up by, separated by commas; empty where there are none.
        configured: String,
    },
    /// What a machine starts, loads and opens is for its owner to say.
    #[error(
        "what `{setting}` of `{runtime}` is, the owner of the machine that measures decides: put it into the runtimes.toml of \
         that machine, under a name of your choice ([my-{runtime}], runtime = \"{runtime}\", settings.{setting} = ...), and \
         give that name as the runtime"
    )]
    MachineOnly {
        /// The plugin's name of the runtime.
        runtime: String,
        /// The first 64 characters of the setting's name.
        setting: String,
    },
    /// A target was measured by what another machine's owner, or this one's at another time, had decided.
    #[error(
        "`{runtime}` was set up by the owner of the machine that measured before, and this machine has nothing of that name: \
         put it into runtimes.toml, or give --runtime and --set as for the first measurement"
    )]
    NotConfigured {
        /// The runtime, as the target names it.
        runtime: String,
    },
    /// What the machine's owner decided cannot be used.
    #[error("{0}")]
    Machine(String),
    /// An architecture makes no network, where one is asked for.
    #[error(transparent)]
    NoNetwork(#[from] NoNetwork),
    /// Parameters that the component does not take.
    #[error("parameters of {component}: {message}")]
    InvalidParameters {
        /// The component's name, after its kind where its schema is what refuses them.
        component: String,
        /// What is wrong with them, for people.
        message: String,
    },
    /// The component cannot work here: a device or library is missing.
    #[error("{component} is unavailable: {message}")]
    Unavailable {
        /// The component's name, or `the plugin` where it is about all of it.
        component: String,
        /// What is missing, in the plugin's words.
        message: String,
    },
    /// Fitted state that the component does not read.
    #[error("{component} does not read this state: {message}")]
    UnsupportedState {
        /// The component's name.
        component: String,
        /// What is wrong with the state, or what of it is missing, for people.
        message: String,
    },
    /// The component panicked; its instance is of no use any more.
    #[error("{component} panicked: {message}")]
    Panicked {
        /// The component's name, or `the plugin` where it is about all of it.
        component: String,
        /// The message of the panic, or that an earlier call on the instance panicked.
        message: String,
    },
    /// A process of the plugin's own ended in a call.
    #[error("a process of the plugin `{plugin}` is lost: in this call it {what}")]
    Ended {
        /// The plugin's name.
        plugin: String,
        /// What it did, after an "it".
        what: String,
    },
    /// A call in a process of the plugin's own took too long, and the process was ended.
    #[error(
        "the plugin `{plugin}` has not come back within {seconds} s ({setting} in plugins.toml): its process is ended"
    )]
    Overdue {
        /// The plugin's name.
        plugin: String,
        /// What it had.
        seconds: f64,
        /// What says so.
        setting: &'static str,
    },
    /// A further process of the plugin cannot be started.
    #[error("no process of the plugin `{plugin}` can be started: {what}")]
    NotStarted {
        /// The plugin's name.
        plugin: String,
        /// Why not.
        what: String,
    },
    /// All processes of the plugin have something to do.
    #[error(
        "the plugin `{plugin}` is busy: none of its {processes} processes was free within {seconds} s; `processes` in plugins.toml \
         allows more"
    )]
    Busy {
        /// The plugin's name.
        plugin: String,
        /// As many as it may have.
        processes: usize,
        /// How long was waited.
        seconds: f64,
    },
    /// Calls into the plugin are overdue: it is asked nothing more.
    #[error("the plugin `{plugin}` is {reason}")]
    Quarantined {
        /// The plugin's name.
        plugin: String,
        /// How many calls are overdue, and until when it is asked nothing: words that follow an "is".
        reason: String,
    },
    /// A call on behalf of a version is overdue: no plugin is called for it.
    #[error("{tenant} is {reason}")]
    TenantQuarantined {
        /// The version, as messages call it: "version 2 of `xeon-1t`".
        tenant: String,
        /// How many calls are overdue, and until when none is made: words that follow an "is".
        reason: String,
    },
    /// Cancelled through the progress callback.
    #[error("{component}: cancelled")]
    Cancelled {
        /// The name of the component that was being fitted.
        component: String,
    },
    /// The component does not do this.
    #[error("{component} does not offer this")]
    NotOffered {
        /// The component's name.
        component: String,
    },
    /// Networks of a batch would take more of this machine's memory than they may.
    #[error(
        "a network with {batch} inputs at once takes some {takes_mib} MiB, and may take {limit_mib} MiB here: measure with at \
         most {largest} inputs at once, or start lglp with a larger --network-memory"
    )]
    BatchTooLarge {
        /// Inputs that the network would take at once.
        batch: u32,
        /// The memory that it would take, about, MiB.
        takes_mib: u64,
        /// The memory that it may take on this machine, MiB.
        limit_mib: u64,
        /// Inputs at once for which the memory is enough; 0 where it is not enough for one.
        largest: u64,
    },
    /// The component failed on this input.
    #[error("{component}: {message}")]
    Failed {
        /// The component's name, or `the plugin` where it is about all of it.
        component: String,
        /// What went wrong, for people.
        message: String,
    },
}

impl PluginError {
    /// Whether it may work when it is tried again: nothing is said of the plugin's part.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::NotStarted { .. }
                | Self::Overdue { .. }
                | Self::Quarantined { .. }
                | Self::TenantQuarantined { .. }
        )
    }

    /// The same, of a runtime that runs in the sandbox: what it misses is most often there.
    pub(super) fn in_sandbox(mut self) -> Self {
        if let Self::Unavailable { message, .. } | Self::Failed { message, .. } | Self::Ended { what: message, .. } =
            &mut self
        {
            message.push_str(
                " (it runs in the sandbox, without devices, programs and the network: the machine's owner lets it out by sandbox = false \
                 in plugins.toml)",
            );
        }
        self
    }

    /// The same, of a component of this name where it is of none.
    pub(super) fn of_component(mut self, name: &str) -> Self {
        match &mut self {
            Self::InvalidParameters { component, .. }
            | Self::Unavailable { component, .. }
            | Self::UnsupportedState { component, .. }
            | Self::Panicked { component, .. }
            | Self::Cancelled { component }
            | Self::NotOffered { component }
            | Self::Failed { component, .. }
                if component.is_empty() =>
            {
                name.clone_into(component);
            }
            _ => {}
        }
        self
    }
}
