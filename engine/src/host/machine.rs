//! What the owner of this machine decides of its runtimes, and what of them a request may choose.
//!
//! A setting that names a program, its arguments, a library, a file or an environment is the machine's own: plugins mark it in
//! their schemas. It comes from the machine's file and command line, never from a request or from a record of the registry. This
//! is the one place where the two meet, and the only way to an open runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lglp_registry::{Digest, HardwareName, canonical_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{memory, owned};

use super::{ComponentHandle, ComponentKind, PluginError, PluginHost, RuntimeInstance};

/// Name of the machine's file, where it lies beside the registry.
pub const FILE: &str = "runtimes.toml";

/// The mark of a setting that is the machine's own, in the schema of a runtime.
const MARK: &str = "x-lglp-machine";

/// The mark of a runtime whose networks run in another process or in a device's memory, in the schema of its settings.
const ELSEWHERE: &str = "x-lglp-elsewhere";

/// What the owner of a machine decides.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Machine {
    /// Targets that workers registered, and that this machine measures itself all the same.
    #[serde(default)]
    measures: BTreeSet<HardwareName>,
    /// Runtimes with settings of this machine, by the name that requests call them.
    #[serde(flatten)]
    runtimes: BTreeMap<String, Configured>,
}

/// A runtime as the owner of the machine has set it up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configured {
    /// The plugin's runtime.
    runtime: String,
    #[serde(default)]
    settings: Map<String, Value>,
}

impl Configured {
    /// Tells this configuration from every other.
    fn digest(&self) -> Result<Digest, PluginError> {
        let canonical = canonical_json(self).map_err(|error| PluginError::Machine(error.to_string()))?;
        Ok(Digest::of(&canonical))
    }
}

impl Machine {
    /// Reads the machine's file.
    ///
    /// # Errors
    /// `Machine` where it cannot be read, is not what it should be, or can be written by everybody.
    pub fn load(path: &Path) -> Result<Self, PluginError> {
        owned::load(path, "names programs to start")
    }

    /// Whether this machine measures a target that workers registered.
    pub fn measures(&self, hardware: &HardwareName) -> bool {
        self.measures.contains(hardware)
    }
}

/// A runtime with everything that it is opened with.
pub struct Runtime {
    component: ComponentHandle,
    settings: Value,
    /// Digest of the machine's own configuration, where there is one.
    configuration: Option<Digest>,
    /// Bytes that a network may take on this machine; none where it runs elsewhere.
    network_memory: Option<u64>,
}

impl Runtime {
    /// What tells the machine's own configuration of it from every other; none where the machine has none.
    pub fn configuration(&self) -> Option<&Digest> {
        self.configuration.as_ref()
    }

    /// Bytes that a network may take on this machine; none where it runs elsewhere.
    pub fn network_memory(&self) -> Option<u64> {
        self.network_memory
    }

    /// Opens it.
    ///
    /// # Errors
    /// Those of the plugin.
    pub fn open(&self) -> Result<RuntimeInstance, PluginError> {
        RuntimeInstance::open(
            &self.component,
            &self.settings,
            self.configuration.as_ref(),
            self.network_memory,
        )
    }
}

impl PluginHost {
    /// Takes over what the owner of the machine has decided. `path` is where it stands.
    ///
    /// # Errors
    /// `Machine` where a name is that of another runtime.
    pub fn configure(&mut self, machine: Machine, path: &Path) -> Result<(), PluginError> {
        // A plugin that is missing is told when its runtime is wanted, and keeps nobody from the others.
        let taken = |name: &str, of: &str| name != of && self.component(ComponentKind::Runtime, name).is_ok();
        for (name, Configured { runtime, .. }) in &machine.runtimes {
            if taken(name, runtime) {
                let path = path.display();
                return Err(PluginError::Machine(format!(
                    "{path}: a plugin has a runtime `{name}`, which is another than `{runtime}`; choose another name"
                )));
            }
        }
        self.machine = machine;
        Ok(())
    }

    /// What the owner of the machine decides.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Takes over what the owner of the machine says of a runtime on the command line, and returns what of it is no secret of
    /// the machine: settings that a target may have in its record.
    pub fn configure_here(&mut self, name: &str, settings: Map<String, Value>) -> Map<String, Value> {
        let configured = self.machine.runtimes.get(name);
        let plugin = configured.map_or(name, |configured| &configured.runtime).to_owned();
        let Ok(component) = self.component(ComponentKind::Runtime, &plugin) else {
            // Opening it will say what is missing.
            return settings;
        };
        let (own, free): (Map<_, _>, Map<_, _>) = settings
            .into_iter()
            .partition(|(setting, _)| is_machines(&component, setting));
        if !own.is_empty() {
            let empty = || Configured {
                runtime: plugin,
                settings: Map::new(),
            };
            let configured = self.machine.runtimes.entry(name.to_owned()).or_insert_with(empty);
            configured.settings.extend(own);
        }
        free
    }

    /// Checks what a request wants of a runtime that it names. One that is not here is nothing that this machine can start.
    ///
    /// # Errors
    /// `MachineOnly`, naming the first setting that is not for requests.
    pub(crate) fn admit_settings(&self, name: &str, settings: &Map<String, Value>) -> Result<(), PluginError> {
        let Ok((component, _)) = self.runtime_named(name) else {
            return Ok(());
        };
        match settings.keys().find(|setting| is_machines(&component, setting)) {
            None => Ok(()),
            Some(setting) => Err(machine_only(&component, setting)),
        }
    }

    /// Refuses a runtime that neither a plugin provides nor the machine's owner has set up.
    ///
    /// # Errors
    /// `NoSuchRuntime`, naming those that there are.
    pub fn require_runtime(&self, name: &str) -> Result<(), PluginError> {
        self.runtime_named(name).map(drop)
    }

    /// A runtime with the settings of a request or of a record, and what the machine adds.
    ///
    /// # Errors
    /// `NoSuchRuntime`; `MachineOnly` for settings of the machine's own that are not what its owner decided.
    pub fn runtime(&self, name: &str, settings: &Map<String, Value>) -> Result<Runtime, PluginError> {
        let (component, configured) = self.runtime_named(name)?;
        let own: Map<String, Value> = settings
            .iter()
            .filter(|(setting, _)| is_machines(&component, setting))
            .map(|(setting, value)| (setting.clone(), value.clone()))
            .collect();
        if let Some(setting) = own.keys().next() {
            // A record from before programs were the machine's own: good where its owner has decided the very same.
            if !self.has_configured(&component, &own) {
                return Err(machine_only(&component, setting));
            }
            return Ok(Runtime {
                settings: Value::Object(settings.clone()),
                configuration: None,
                network_memory: self.network_memory(&component),
                component,
            });
        }
        let mut all = configured.map_or_else(Map::new, |configured| configured.settings.clone());
        all.extend(settings.clone());
        Ok(Runtime {
            settings: Value::Object(all),
            configuration: configured.map(Configured::digest).transpose()?,
            network_memory: self.network_memory(&component),
            component,
        })
    }

    /// Sets what a network may take on this machine, bytes; half of what the machine has left, unless told otherwise.
    pub fn limit_networks(&mut self, bytes: u64) {
        self.network_memory = Some(bytes);
    }

    fn network_memory(&self, component: &ComponentHandle) -> Option<u64> {
        let elsewhere = component.parameters().get(ELSEWHERE) == Some(&Value::Bool(true));
        (!elsewhere).then(|| self.network_memory.unwrap_or_else(|| memory::available() / 2))
    }

    /// The plugin's runtime of a name that a plugin or the machine's owner gave, and what the owner decided of it.
    fn runtime_named(&self, name: &str) -> Result<(ComponentHandle, Option<&Configured>), PluginError> {
        let configured = self.machine.runtimes.get(name);
        let plugin = configured.map_or(name, |configured| &configured.runtime);
        let component = self.component(ComponentKind::Runtime, plugin);
        let component = component.map_err(|missing| PluginError::NoSuchRuntime {
            missing: missing.to_string(),
            configured: self.machine.runtimes.keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        Ok((component, configured))
    }

    fn has_configured(&self, component: &ComponentHandle, own: &Map<String, Value>) -> bool {
        let is_the_same = |configured: &Configured| {
            let mut theirs = configured.settings.clone();
            theirs.retain(|setting, _| is_machines(component, setting));
            configured.runtime == component.name() && theirs == *own
        };
        self.machine.runtimes.values().any(is_the_same)
    }
}

/// Whether a setting is for the owner of the machine alone: it is marked so, or the schema does not name it, so that nobody has
/// said that it is harmless.
fn is_machines(component: &ComponentHandle, setting: &str) -> bool {
    let described = component
        .parameters()
        .get("properties")
        .and_then(|all| all.get(setting));
    described.is_none_or(|described| described.get(MARK) == Some(&Value::Bool(true)))
}

fn machine_only(component: &ComponentHandle, setting: &str) -> PluginError {
    PluginError::MachineOnly {
        runtime: component.name().to_owned(),
        // Whoever made the request chose the name, and how long it is.
        setting: setting.chars().take(64).collect(),
    }
}
