//! The components of a recipe, and the plugins that a model was fitted with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Recipe, residual};
use crate::host::{ComponentHandle, ComponentKind, PluginError, PluginHost, Tenant};

/// The plugin that a part of a model was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginUse {
    /// What the component is for.
    pub kind: ComponentKind,
    /// The component's name, as recipes have it.
    pub component: String,
    /// The name of the plugin that provides the component.
    pub plugin: String,
    /// The version of that plugin.
    pub version: String,
    /// `sha256:` and the digest of the plugin's file.
    pub sha256: String,
    /// Version of the fitted state that it wrote; 0 for encoders.
    pub state_version: u32,
}

/// The components of a recipe, looked up.
pub(super) struct Components {
    pub encoder: ComponentHandle,
    pub extractor: Option<ComponentHandle>,
    pub regressor: ComponentHandle,
    pub residual: Option<residual::Components>,
}

impl Components {
    /// Those of the residual only where there is one: whatever else a recipe has serves without its plugin.
    pub(super) fn of(recipe: &Recipe, host: &PluginHost, has_residual: bool) -> Result<Self, PluginError> {
        let extractor = recipe.extractor.as_ref();
        Ok(Self {
            encoder: host.component(ComponentKind::Encoder, &recipe.encoder.name)?.clone(),
            extractor: extractor
                .map(|e| host.component(ComponentKind::FeatureExtractor, &e.name).cloned())
                .transpose()?,
            regressor: host
                .component(ComponentKind::Regressor, &recipe.regressor.name)?
                .clone(),
            residual: recipe
                .residual
                .as_ref()
                .filter(|_| has_residual)
                .map(|residual| residual::Components::of(residual, host))
                .transpose()?,
        })
    }

    pub(super) fn on_behalf_of(&self, tenant: &Arc<Tenant>) -> Self {
        Self {
            encoder: self.encoder.on_behalf_of(tenant),
            extractor: self.extractor.as_ref().map(|e| e.on_behalf_of(tenant)),
            regressor: self.regressor.on_behalf_of(tenant),
            residual: self.residual.as_ref().map(|residual| residual.on_behalf_of(tenant)),
        }
    }

    pub(super) fn uses(&self) -> Vec<PluginUse> {
        let parts = [Some(&self.encoder), self.extractor.as_ref(), Some(&self.regressor)];
        let residual = self.residual.iter().flat_map(residual::Components::handles);
        parts.into_iter().flatten().chain(residual).map(plugin_use).collect()
    }
}

fn plugin_use(handle: &ComponentHandle) -> PluginUse {
    PluginUse {
        kind: handle.kind(),
        component: handle.name().to_owned(),
        plugin: handle.plugin().to_owned(),
        version: handle.plugin_version().to_owned(),
        sha256: handle.sha256().to_owned(),
        state_version: handle.state_version(),
    }
}
