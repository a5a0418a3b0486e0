//! One opened plugin file and its components.

use std::error::Error;
use std::sync::Arc;

use lglp_sdk::plugin::abi;
use serde::{Deserialize, Serialize};

use super::file::Opening;
use super::health::{Health, Tenant};
use super::{ComponentDescription, PluginDescription, PluginError, call, native, native_folder};

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Turns architectures, or the operators of their networks, into tensors.
    Encoder,
    /// Turns tensors into features.
    FeatureExtractor,
    /// Predicts the recipe's target from tensors or features.
    Regressor,
    /// Runs networks on a device, and times them.
    Runtime,
}

impl ComponentKind {
    /// Its name in JSON; its `Display` is for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::FeatureExtractor => "feature-extractor",
            Self::Regressor => "regressor",
            Self::Runtime => "runtime",
        }
    }
}

impl std::fmt::Display for ComponentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encoder => "encoder",
            Self::FeatureExtractor => "feature extractor",
            Self::Regressor => "regressor",
            Self::Runtime => "runtime",
        })
    }
}

/// An opened plugin. It lives as long as the process.
pub(super) struct Library {
    table: &'static abi::PluginTable,
    sha256: String,
    health: Arc<Health>,
}

/// One component of an opened plugin.
#[derive(Clone)]
pub struct ComponentHandle {
    pub(super) component: &'static abi::Component,
    /// Minor version of the ABI that the plugin was built for: how much there is of its tables.
    pub(super) abi_minor: u32,
    kind: ComponentKind,
    name: String,
    plugin: String,
    plugin_version: String,
    sha256: String,
    health: Arc<Health>,
    tenant: Option<Arc<Tenant>>,
    parameters: serde_json::Value,
}

impl Library {
    /// Loads a plugin by the descriptor through which it was hashed, so that nothing can be put in between. The descriptor
    /// must stay open for good.
    pub(super) fn open(file: &Opening) -> Result<&'static Self, PluginError> {
        native::preload(&file.needed, &native_folder())?;
        let by_descriptor = format!("/proc/self/fd/{}", file.descriptor);
        // SAFETY: plugins are trusted code; this process loads what another one has seen to load.
        let library = unsafe { libloading::Library::new(&by_descriptor) }.map_err(|e| {
            let reason = e.source().map_or_else(|| e.to_string(), ToString::to_string);
            let text = reason.replace(&by_descriptor, &file.shown);
            let native = native_folder();
            PluginError::NotLoadable(format!(
                "{text}; native libraries are looked for in {}: run `make native`",
                native.display()
            ))
        })?;
        // SAFETY: the symbol, where there is one, is checked before it is believed.
        let table = unsafe { library.get::<*const abi::PluginTable>(abi::SYMBOL) }
            .map(|symbol| *symbol)
            .map_err(|_| PluginError::Rejected("it exports no symbol `lglp_plugin`: not an lglp plugin".into()))?;
        // Never unloaded: see the module's comment.
        std::mem::forget(library);
        let table = check_table(table)?;
        if let Some(check) = table.check {
            // SAFETY: a callback of the table, called as its contract says.
            call::checked("the plugin", |error| unsafe { check(error) })?;
        }
        Ok(Box::leak(Box::new(Self {
            table,
            sha256: file.sha256.clone(),
            health: Health::new(text(table.name)?),
        })))
    }

    fn raw_components(&self) -> impl Iterator<Item = &'static abi::Component> {
        let table = self.table;
        (0..table.component_count).map(move |i| {
            // SAFETY: `check_table` has seen that the plugin's components are at least as large as this host's.
            unsafe { &*table.components.byte_add(i * table.component_size) }
        })
    }

    /// The plugin's components, checked.
    pub(super) fn components(&'static self) -> Result<Vec<ComponentHandle>, PluginError> {
        self.raw_components().map(|component| self.handle(component)).collect()
    }

    fn handle(&self, component: &'static abi::Component) -> Result<ComponentHandle, PluginError> {
        let name = text(component.name)?;
        let (kind, complete) = match component.kind {
            abi::KIND_ENCODER => (ComponentKind::Encoder, !component.encoder.is_null()),
            abi::KIND_EXTRACTOR => (
                ComponentKind::FeatureExtractor,
                // SAFETY: asked only where there is a table.
                has(component, |table| unsafe { &raw const (*table).extract }),
            ),
            abi::KIND_REGRESSOR => (
                ComponentKind::Regressor,
                // SAFETY: as above.
                has(component, |table| unsafe { &raw const (*table).predict }),
            ),
            abi::KIND_RUNTIME => (ComponentKind::Runtime, !component.runtime.is_null()),
            other => {
                return Err(PluginError::Rejected(format!(
                    "its component `{name}` is of the unknown kind {other}"
                )));
            }
        };
        if !complete {
            return Err(PluginError::Rejected(format!(
                "its {kind} `{name}` lacks the table of its kind"
            )));
        }
        // SAFETY: a callback of the table, called as its contract says.
        let schema = call::bytes(name, |json, error| unsafe { (component.schema)(json, error) })?;
        Ok(ComponentHandle {
            component,
            abi_minor: self.table.abi_minor,
            kind,
            name: name.to_owned(),
            plugin: text(self.table.name)?.to_owned(),
            plugin_version: text(self.table.version)?.to_owned(),
            sha256: self.sha256.clone(),
            health: self.health.clone(),
            tenant: None,
            parameters: serde_json::from_slice(&schema)
                .map_err(|e| PluginError::Rejected(format!("the schema of `{name}` is not JSON: {e}")))?,
        })
    }

    /// What the plugin says of itself.
    pub(super) fn describe(&'static self) -> Result<PluginDescription, PluginError> {
        let components = self.components()?;
        Ok(PluginDescription {
            name: text(self.table.name)?.to_owned(),
            version: text(self.table.version)?.to_owned(),
            summary: text(self.table.summary)?.to_owned(),
            components: components
                .iter()
                .map(|c| {
                    Ok(ComponentDescription {
                        kind: c.kind,
                        name: c.name.clone(),
                        summary: text(c.component.summary)?.to_owned(),
                        state_version: c.component.state_version,
                        parameters: c.parameters.clone(),
                    })
                })
                .collect::<Result<_, PluginError>>()?,
        })
    }
}

impl ComponentHandle {
    /// What it is for.
    pub fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// Name in recipes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the plugin that provides it.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Version of the plugin that provides it.
    pub(crate) fn plugin_version(&self) -> &str {
        &self.plugin_version
    }

    /// `sha256:` and the digest of the plugin's file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Version of the fitted state that it writes.
    pub fn state_version(&self) -> u32 {
        self.component.state_version
    }

    /// Whether its plugin answers.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// The same, called on behalf of a version.
    pub(crate) fn on_behalf_of(&self, tenant: &Arc<Tenant>) -> Self {
        let tenant = Some(tenant.clone());
        Self { tenant, ..self.clone() }
    }

    /// On whose behalf it is called.
    pub(super) fn tenant(&self) -> Option<&Arc<Tenant>> {
        self.tenant.as_ref()
    }

    /// Refuses calls where the version or the plugin is in quarantine.
    ///
    /// # Errors
    /// `TenantQuarantined`, `Quarantined`.
    pub(super) fn admit(&self) -> Result<(), PluginError> {
        self.tenant.as_ref().map_or(Ok(()), |tenant| tenant.admit())?;
        self.health.admit()
    }

    /// JSON Schema of its parameters.
    pub fn parameters(&self) -> &serde_json::Value {
        &self.parameters
    }

    /// Checks parameters against the component's schema, naming each that is wrong.
    pub(crate) fn check_parameters(&self, parameters: &serde_json::Value) -> Result<(), PluginError> {
        let component = format!("{} `{}`", self.kind, self.name);
        let schema = jsonschema::validator_for(&self.parameters)
            .map_err(|e| PluginError::Rejected(format!("the schema of {component} is not usable: {e}")))?;
        let faults: Vec<String> = schema
            .iter_errors(parameters)
            .map(|e| format!("{}: {e}", e.instance_path))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let message = faults.join("; ");
        Err(PluginError::InvalidParameters { component, message })
    }
}

fn text(of_table: abi::Str) -> Result<&'static str, PluginError> {
    // SAFETY: strings in a table live as long as the library, which is never unloaded.
    unsafe { of_table.as_str() }.ok_or_else(|| PluginError::Rejected("a text in its table is not UTF-8".into()))
}

/// Whether a component has a callback that tables of every version have; those of earlier ones are shorter, so that nothing refers to a
/// whole table.
fn has<F>(component: &abi::Component, callback: impl Fn(*const abi::FittedTable) -> *const Option<F>) -> bool {
    // SAFETY: where it is not null it leads to a table of the plugin, which is never unloaded.
    !component.fitted.is_null() && unsafe { (*callback(component.fitted)).is_some() }
}

/// Believes a table only after its magic number, version and sizes.
fn check_table(table: *const abi::PluginTable) -> Result<&'static abi::PluginTable, PluginError> {
    // SAFETY: the symbol of a library that is never unloaded; every field is read only after the ones that vouch for it.
    let table =
        unsafe { table.as_ref() }.ok_or_else(|| PluginError::Rejected("its symbol `lglp_plugin` is null".into()))?;
    let reject = |message: String| Err(PluginError::Rejected(message));
    if table.magic != abi::MAGIC {
        return reject("its symbol `lglp_plugin` is not a plugin table (wrong magic number)".into());
    }
    if table.abi_major != abi::ABI_MAJOR || table.abi_minor > abi::ABI_MINOR {
        return reject(format!(
            "it was built for plugin ABI {}.{}; this host takes {}.0 to {}.{}: rebuild it with a matching lglp-sdk",
            table.abi_major,
            table.abi_minor,
            abi::ABI_MAJOR,
            abi::ABI_MAJOR,
            abi::ABI_MINOR
        ));
    }
    if table.size < size_of::<abi::PluginTable>() || table.component_size < size_of::<abi::Component>() {
        return reject(format!(
            "its tables are too small ({} and {} bytes): rebuild it with a matching lglp-sdk",
            table.size, table.component_size
        ));
    }
    if table.components.is_null() && table.component_count > 0 {
        return reject("its table announces components but leads to none".into());
    }
    Ok(table)
}
