//! Components: what plugins provide, wherever they run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calls::{Component, Offer, Offers};
use super::health::{Health, Tenant};
use super::{PluginError, schema};

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

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDescription {
    /// The plugin's name, which need not be that of its file.
    pub name: String,
    /// The plugin's version, in its own words; what tells revisions apart is the digest of the file.
    pub version: String,
    /// What the plugin is, for people.
    pub summary: String,
    /// What it provides.
    pub components: Vec<ComponentDescription>,
}

/// One component of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentDescription {
    /// What it is for; no other component of this plugin and kind has its name.
    pub kind: ComponentKind,
    /// Its name in recipes or, if it is a runtime, in hardware targets.
    pub name: String,
    /// What it is, as `lglp plugins` lists it.
    pub summary: String,
    /// Version of the fitted state that it writes; 0 where it has none.
    pub state_version: u32,
    /// JSON Schema of its parameters.
    pub parameters: serde_json::Value,
}

/// The file that a component came from, and how its plugin is doing.
pub(super) struct Origin {
    pub plugin: String,
    pub plugin_version: String,
    /// `sha256:` and the digest of the plugin's file.
    pub sha256: String,
    pub health: Arc<Health>,
    /// Whether it runs in processes of its own.
    pub is_isolated: bool,
}

/// A plugin that was opened.
pub(super) struct Opened {
    pub description: PluginDescription,
    pub components: Vec<ComponentHandle>,
    /// What its processes are restricted by.
    pub restricted: Vec<String>,
}

/// Components of a plugin at most.
const MOST_COMPONENTS: usize = 64;

impl Opened {
    /// What a plugin says of itself, and its components.
    ///
    /// # Errors
    /// `Rejected`, where there are too many, or the schema of one cannot be expanded.
    pub(super) fn new(
        description: PluginDescription,
        components: Vec<ComponentHandle>,
        restricted: Vec<String>,
    ) -> Result<Self, PluginError> {
        if components.len() > MOST_COMPONENTS {
            let many = format!("it has {} components; {MOST_COMPONENTS} at most", components.len());
            return Err(PluginError::Rejected(many));
        }
        for one in &description.components {
            schema::check(&one.name, &one.parameters)?;
        }
        Ok(Self {
            description,
            components,
            restricted,
        })
    }
}

/// One component of a plugin, to be called.
#[derive(Clone)]
pub struct ComponentHandle {
    described: Arc<ComponentDescription>,
    offers: Arc<Offers>,
    origin: Arc<Origin>,
    reached: Arc<dyn Component>,
    tenant: Option<Arc<Tenant>>,
}

impl ComponentHandle {
    pub(super) fn new(
        described: ComponentDescription,
        offers: Offers,
        origin: &Arc<Origin>,
        reached: Arc<dyn Component>,
    ) -> Self {
        Self {
            described: Arc::new(described),
            offers: Arc::new(offers),
            origin: origin.clone(),
            reached,
            tenant: None,
        }
    }

    pub(super) fn described(&self) -> &ComponentDescription {
        &self.described
    }

    /// What it is for.
    pub fn kind(&self) -> ComponentKind {
        self.described.kind
    }

    /// Name in recipes.
    pub fn name(&self) -> &str {
        &self.described.name
    }

    /// Name of the plugin that provides it.
    pub fn plugin(&self) -> &str {
        &self.origin.plugin
    }

    /// Version of the plugin that provides it.
    pub fn plugin_version(&self) -> &str {
        &self.origin.plugin_version
    }

    /// `sha256:` and the digest of the plugin's file.
    pub fn sha256(&self) -> &str {
        &self.origin.sha256
    }

    /// Version of the fitted state that it writes.
    pub fn state_version(&self) -> u32 {
        self.described.state_version
    }

    /// Whether its plugin answers.
    pub fn health(&self) -> &Arc<Health> {
        &self.origin.health
    }

    pub(super) fn offers(&self, offer: Offer) -> bool {
        self.offers.contains(&offer)
    }

    pub(super) fn all_offers(&self) -> &Offers {
        &self.offers
    }

    pub(super) fn reached(&self) -> &dyn Component {
        &*self.reached
    }

    /// The same, called on behalf of a version.
    pub(crate) fn on_behalf_of(&self, tenant: &Arc<Tenant>) -> Self {
        let tenant = Some(tenant.clone());
        Self { tenant, ..self.clone() }
    }

    /// Whether it runs in processes of its own.
    pub(super) fn is_isolated(&self) -> bool {
        self.origin.is_isolated
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
        self.health().admit()
    }

    /// JSON Schema of its parameters.
    pub fn parameters(&self) -> &serde_json::Value {
        &self.described.parameters
    }

    /// Checks parameters against the component's schema, naming each that is wrong.
    pub(crate) fn check_parameters(&self, parameters: &serde_json::Value) -> Result<(), PluginError> {
        let component = format!("{} `{}`", self.kind(), self.name());
        let schema = jsonschema::validator_for(self.parameters())
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

    /// That it failed, in words for people.
    pub(super) fn failed(&self, message: String) -> PluginError {
        let component = self.name().to_owned();
        PluginError::Failed { component, message }
    }
}
