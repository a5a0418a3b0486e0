//! What plugins provide, told apart by the names of plugins and components.

use super::component::Opened;
use super::{ComponentHandle, ComponentKind, PluginError};

/// What plugins provide: no two components of one plugin's name, kind and name.
#[derive(Default)]
pub(super) struct Components(pub Vec<ComponentHandle>);

/// Bytes of a plugin's or component's name, version or summary at most: they are in lists, records and metrics.
const LONGEST_TEXT: usize = 1000;

impl Components {
    /// Takes a plugin's components in.
    pub(super) fn admit(&mut self, opened: &Opened) -> Result<(), PluginError> {
        self.refuse(opened)?;
        self.0.extend_from_slice(&opened.components);
        Ok(())
    }

    /// Whether a plugin of this name provides a component.
    pub(super) fn has(&self, plugin: &str, kind: ComponentKind, name: &str) -> bool {
        let mut all = self.0.iter();
        all.any(|one| one.kind() == kind && one.name() == name && one.plugin() == plugin)
    }

    /// Refuses a plugin of which a component is there already, or twice in itself.
    pub(super) fn refuse(&self, opened: &Opened) -> Result<(), PluginError> {
        let Opened {
            description,
            components: fresh,
            ..
        } = opened;
        let texts = [&description.name, &description.version, &description.summary];
        let names = fresh.iter().map(|one| &one.described().name);
        if let Some(long) = texts.into_iter().chain(names).find(|text| text.len() > LONGEST_TEXT) {
            let reason = format!(
                "a name, version or summary has {} bytes; {LONGEST_TEXT} at most",
                long.len()
            );
            return Err(PluginError::Rejected(reason));
        }
        for (at, new) in fresh.iter().enumerate() {
            let (kind, name) = (new.kind(), new.name());
            if fresh[..at].iter().any(|old| old.kind() == kind && old.name() == name) {
                let reason = format!("it provides two components of the kind {kind} with the name `{name}`");
                return Err(PluginError::Rejected(reason));
            }
            if self.has(&description.name, kind, name) {
                let reason = format!(
                    "its {kind} `{name}` is already provided by the plugin `{}`: plugins of one name have different components",
                    description.name
                );
                return Err(PluginError::Rejected(reason));
            }
        }
        Ok(())
    }
}
