//! The components of a recipe, and the plugins that a model was fitted with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ComponentSpec, Recipe, residual};
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
    /// `fitted_with`: the plugins that a model was fitted with that is loaded; none of one that is to be fitted.
    pub(super) fn of(
        recipe: &Recipe,
        host: &PluginHost,
        has_residual: bool,
        fitted_with: &[PluginUse],
    ) -> Result<Self, PluginError> {
        let of = |kind: ComponentKind, spec: &ComponentSpec| component(host, kind, spec, fitted_with);
        let extractor = recipe.extractor.as_ref();
        let residual = recipe.residual.as_ref().filter(|_| has_residual);
        Ok(Self {
            encoder: of(ComponentKind::Encoder, &recipe.encoder)?,
            extractor: extractor
                .map(|spec| of(ComponentKind::FeatureExtractor, spec))
                .transpose()?,
            regressor: of(ComponentKind::Regressor, &recipe.regressor)?,
            residual: residual
                .map(|spec| {
                    let (encoder, regressor) = (&spec.encoder, &spec.regressor);
                    Ok::<_, PluginError>(residual::Components {
                        encoder: of(ComponentKind::Encoder, encoder)?,
                        regressor: of(ComponentKind::Regressor, regressor)?,
                    })
                })
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

/// The component that a recipe names: that of the revision which a model was fitted with, if it was.
fn component(
    host: &PluginHost,
    kind: ComponentKind,
    spec: &ComponentSpec,
    fitted_with: &[PluginUse],
) -> Result<ComponentHandle, PluginError> {
    let used = fitted_with.iter().find(|used| {
        let plugin = spec.plugin.as_ref();
        used.kind == kind && used.component == spec.name && plugin.is_none_or(|plugin| *plugin == used.plugin)
    });
    match used {
        Some(used) => host.fitted_with(kind, &spec.name, &used.plugin, &used.sha256),
        None => host.component_of(kind, &spec.name, spec.plugin.as_deref()),
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
