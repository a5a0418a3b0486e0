//! What plugins provide, told apart by the names of plugins and components.

use super::{ComponentHandle, PluginDescription, PluginError};

/// What plugins provide: no two components of one plugin's name, kind and name.
#[derive(Default)]
pub(super) struct Components(pub Vec<ComponentHandle>);

/// Bytes of a plugin's or component's name, version or summary at most: they are in lists, records and metrics.
const LONGEST_TEXT: usize = 1000;

impl Components {
    /// Takes a plugin's components in.
    pub(super) fn admit(
        &mut self,
        description: &PluginDescription,
        fresh: &[ComponentHandle],
    ) -> Result<(), PluginError> {
        self.refuse(description, fresh)?;
        self.0.extend_from_slice(fresh);
        Ok(())
    }

    /// Refuses a plugin of which a component is there already, or twice in itself.
    pub(super) fn refuse(&self, description: &PluginDescription, fresh: &[ComponentHandle]) -> Result<(), PluginError> {
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
            let same = |old: &&ComponentHandle| old.kind() == kind && old.name() == name;
            if fresh[..at].iter().any(|old| same(&old)) {
                let reason = format!("it provides two components of the kind {kind} with the name `{name}`");
                return Err(PluginError::Rejected(reason));
            }
            if self.0.iter().filter(same).any(|old| old.plugin() == description.name) {
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
