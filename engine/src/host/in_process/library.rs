//! One opened plugin file and its components.

use std::error::Error;
use std::sync::Arc;

use lglp_sdk::plugin::abi;

use super::encoder::Encoder;
use super::fitted::Fitted;
use super::runtime::Runtime;
use super::{call, native, native_folder};
use crate::host::calls::{Component, Offers};
use crate::host::component::{Opened, Origin};
use crate::host::file::Opening;
use crate::host::health::Health;
use crate::host::{ComponentDescription, ComponentHandle, ComponentKind, PluginDescription, PluginError};

/// An opened plugin. It lives as long as the process.
pub(in crate::host) struct Library {
    table: &'static abi::PluginTable,
    origin: Arc<Origin>,
}

impl Library {
    /// Loads a plugin by the descriptor through which it was hashed, so that nothing can be put in between. The descriptor
    /// must stay open for good.
    pub(in crate::host) fn open(file: &Opening) -> Result<&'static Self, PluginError> {
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
            origin: Arc::new(Origin {
                plugin: text(table.name)?.to_owned(),
                plugin_version: text(table.version)?.to_owned(),
                sha256: file.sha256.clone(),
                health: Health::new(text(table.name)?, None),
                is_isolated: false,
            }),
        })))
    }

    fn raw_components(&self) -> impl Iterator<Item = &'static abi::Component> {
        let table = self.table;
        (0..table.component_count).map(move |i| {
            // SAFETY: `check_table` has seen that the plugin's components are at least as large as this host's.
            unsafe { &*table.components.byte_add(i * table.component_size) }
        })
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
        let described = ComponentDescription {
            kind,
            name: name.to_owned(),
            summary: text(component.summary)?.to_owned(),
            state_version: component.state_version,
            parameters: serde_json::from_slice(&schema)
                .map_err(|e| PluginError::Rejected(format!("the schema of `{name}` is not JSON: {e}")))?,
        };
        let (offers, reached) = self.reached(component, kind, name);
        Ok(ComponentHandle::new(described, offers, &self.origin, reached))
    }

    /// How a component is called, whose table was seen to be there.
    fn reached(
        &self,
        component: &'static abi::Component,
        kind: ComponentKind,
        name: &str,
    ) -> (Offers, Arc<dyn Component>) {
        let minor = self.table.abi_minor;
        match kind {
            ComponentKind::Encoder => {
                // SAFETY: the table is there, and libraries are never unloaded.
                let encoder = unsafe { Encoder::new(component, minor, name) };
                (encoder.offers(), Arc::new(encoder))
            }
            ComponentKind::FeatureExtractor | ComponentKind::Regressor => {
                // SAFETY: as above.
                let fitted = unsafe { Fitted::new(component, minor, name) };
                (fitted.offers(), Arc::new(fitted))
            }
            ComponentKind::Runtime => {
                // SAFETY: as above.
                let runtime = unsafe { Runtime::new(component, minor, name) };
                (runtime.offers(), Arc::new(runtime))
            }
        }
    }

    /// What the plugin says of itself, and its components, checked.
    pub(in crate::host) fn opened(&'static self) -> Result<Opened, PluginError> {
        let components = self.raw_components().map(|component| self.handle(component));
        let components: Vec<ComponentHandle> = components.collect::<Result<_, _>>()?;
        let description = PluginDescription {
            name: text(self.table.name)?.to_owned(),
            version: text(self.table.version)?.to_owned(),
            summary: text(self.table.summary)?.to_owned(),
            components: components.iter().map(|one| one.described().clone()).collect(),
        };
        Opened::new(description, components, Vec::new())
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
