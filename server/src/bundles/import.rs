//! Importing: from a bundle into the registry, once all of it is known to work here.

use lglp_engine::host::{ComponentKind, PluginHost};
use lglp_engine::measure::admit;
use lglp_engine::predictor::{ModelState, RESIDUAL, Recipe};
use lglp_engine::spaces::Spaces;
use lglp_openapi::lineage::{PluginState, TracedPlugin};
use lglp_registry::{
    Dataset, Digest, Error as RegistryError, HardwareName, HardwareTarget, Imported as Origin, NewDataset, NewHardware,
    NewVersion, Quota, Registry, Version,
};
use lglp_sdk::SearchSpace;

use super::manifest::describe;
use super::{Bundle, BundleError};
use crate::idempotency::own_key;
use crate::lineage::{differences, trace_plugins};
use crate::serving::ServingError;

/// Where to import to.
pub struct Importer<'a> {
    /// The registry that the version goes into.
    pub store: &'a dyn Registry,
    /// The plugins that the version must run with.
    pub host: &'a PluginHost,
    /// The search spaces that there are here.
    pub spaces: &'a Spaces,
    /// Loads a model of a target with its fitted state, and lets it predict.
    pub try_out: &'a dyn Fn(&HardwareTarget, &Version, ModelState) -> Result<(), ServingError>,
}

/// How to import.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The hardware target here; created where there is none of that name.
    pub hardware: HardwareName,
    /// Whether other plugins than the version was fitted with will do, if the model passes its self-test.
    pub accept_other_plugins: bool,
    /// Who imports it.
    pub actor: String,
    /// How many hardware targets that one may create.
    pub quota: Quota,
}

/// What an import gives.
#[derive(Debug)]
pub struct Imported {
    /// The version as it is here, with the number that it has here.
    pub version: Version,
    /// Whether it was created now; the same bundle gives the same version again.
    pub fresh: bool,
}

impl Importer<'_> {
    /// Imports a bundle: checks everything first, lets the model predict, and only then writes.
    pub fn import(&self, bundle: &Bundle<'_>, terms: &Terms) -> Result<Imported, BundleError> {
        if let Some(version) = self.before(&bundle.digest, &terms.hardware)? {
            return Ok(Imported { version, fresh: false });
        }
        let target = NewHardware {
            name: terms.hardware.clone(),
            ..describe(&bundle.manifest.hardware)
        };
        let target_is_new = self.check_machine(&target)?;
        if target_is_new {
            admit(
                self.host,
                &target.runtime,
                &target.settings.clone().into_iter().collect(),
                "hardware",
            )?;
        }
        self.check_space(&bundle.manifest.version.content)?;
        check_recipe(&bundle.manifest.version.content)?;
        check_golden(&bundle.manifest.version.content)?;
        self.check_plugins(&bundle.manifest.version.content, terms.accept_other_plugins)?;
        self.check_dataset(bundle)?;
        self.self_test(bundle)?;

        if target_is_new {
            self.store.put_hardware_within(terms.quota, &target, &terms.actor)?;
        }
        for blob in bundle.blobs() {
            self.store.put_blob(blob)?;
        }
        self.freeze_dataset(bundle, terms)?;
        let key = own_key(&format!("bundle/{}", bundle.digest));
        match self
            .store
            .create_version(&terms.hardware, &content_here(bundle, &terms.actor), Some(&key))
        {
            Ok(version) => Ok(Imported { version, fresh: true }),
            // Somebody else has imported it meanwhile.
            Err(conflict @ RegistryError::Conflict { .. }) => match self.before(&bundle.digest, &terms.hardware)? {
                Some(version) => Ok(Imported { version, fresh: false }),
                None => Err(conflict.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The version that this bundle gave before.
    fn before(&self, bundle: &Digest, hardware: &HardwareName) -> Result<Option<Version>, BundleError> {
        let versions = match self.store.versions(hardware) {
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            other => other?,
        };
        let came_so = |version: &Version| {
            version
                .content
                .imported
                .last()
                .is_some_and(|origin| origin.bundle == *bundle)
        };
        Ok(versions.into_iter().find(came_so))
    }

    /// Whether the hardware target is still to be created.
    fn check_machine(&self, target: &NewHardware) -> Result<bool, BundleError> {
        let here = match self.store.hardware(&target.name) {
            Err(RegistryError::NotFound { .. }) => return Ok(true),
            other => other?,
        };
        let Some(field) = target.difference(&here) else {
            return Ok(false);
        };
        let side = |target: &NewHardware| match field {
            "runtime" => serde_json::json!({ "runtime": target.runtime }),
            "settings" => serde_json::json!({ "settings": target.settings }),
            "fingerprint" => serde_json::json!({ "fingerprint": target.fingerprint }),
            _ => serde_json::json!({ "reference": target.reference }),
        };
        let shown = |value: Option<serde_json::Value>| value.map_or_else(|| "nothing".to_owned(), |v| v.to_string());
        let differences: Vec<String> = differences(&side(&describe(&here)), &side(target))
            .into_iter()
            .map(|d| format!("{} is {} here and {} in the bundle", d.pointer, shown(d.a), shown(d.b)))
            .collect();
        Err(BundleError::OtherMachine {
            hardware: target.name.clone(),
            differences: differences.join(", "),
        })
    }

    fn space(&self, name: &str) -> Result<&SearchSpace, BundleError> {
        let space = self
            .spaces
            .get(name)
            .map_err(|unknown| BundleError::NoSpace { unknown })?;
        Ok(space)
    }

    fn check_space(&self, content: &NewVersion) -> Result<(), BundleError> {
        let space = self.space(&content.space)?;
        let here = format!("sha256:{}", space.digest());
        if here == content.space_digest.as_str() {
            return Ok(());
        }
        Err(BundleError::OtherSpace {
            space: content.space.clone(),
            here,
            there: content.space_digest.clone(),
        })
    }

    fn check_plugins(&self, content: &NewVersion, accept_others: bool) -> Result<(), BundleError> {
        let traced = trace_plugins(content, self.host);
        let of_state = |state: PluginState| traced.iter().filter(move |plugin| plugin.state == state);
        let missing: Vec<String> = of_state(PluginState::Missing).map(missing).collect();
        if !missing.is_empty() {
            return Err(BundleError::MissingPlugins {
                missing: missing.join("; "),
            });
        }
        let differing: Vec<String> = of_state(PluginState::Other).map(differing).collect();
        if differing.is_empty() || accept_others {
            return Ok(());
        }
        Err(BundleError::OtherPlugins {
            differing: differing.join("; "),
        })
    }

    /// Checks that each row can be trained on here.
    fn check_dataset(&self, bundle: &Bundle<'_>) -> Result<(), BundleError> {
        let Dataset {
            digest, space, rows, ..
        } = &bundle.manifest.dataset;
        let space = self.space(space)?;
        let content = std::str::from_utf8(bundle.blob(digest)?);
        let text = content.map_err(|error| BundleError::damaged(format!("the dataset is no text: {error}")))?;
        let found = text.lines().count();
        if found != *rows {
            return Err(BundleError::damaged(format!(
                "the dataset has {found} rows, not {rows}"
            )));
        }
        let mut networks = 0;
        for (line, row) in text.lines().enumerate() {
            let bad = |error: &dyn std::fmt::Display| {
                BundleError::damaged(format!("line {} of the dataset is no row: {error}", line + 1))
            };
            let row: lglp_engine::train::FrozenRow = serde_json::from_str(row).map_err(|e| bad(&e))?;
            match &row.network {
                Some(network) => {
                    row.architecture.parse::<Digest>().map_err(|e| bad(&e))?;
                    network.check().map_err(|e| bad(&e))?;
                    networks += 1;
                }
                None if networks > 0 => return Err(bad(&"an architecture behind a network")),
                None => drop(space.architecture_from_text(&row.architecture).map_err(|e| bad(&e))?),
            }
        }
        let told = bundle
            .manifest
            .version
            .content
            .networks
            .as_ref()
            .map_or(0, |networks| networks.count);
        if told != networks {
            return Err(BundleError::damaged(format!(
                "the dataset has {networks} networks of no space, and the version learned from {told}"
            )));
        }
        Ok(())
    }

    /// Loads the model and lets it predict.
    fn self_test(&self, bundle: &Bundle<'_>) -> Result<(), BundleError> {
        let version = &bundle.manifest.version;
        let mut state = ModelState::new();
        for (role, digest) in &version.content.artifacts {
            state.insert(role.clone(), bundle.blob(digest)?.to_vec());
        }
        (self.try_out)(&bundle.manifest.hardware, version, state).map_err(BundleError::Unusable)
    }

    /// One that is here already stays as it is, whoever froze it.
    fn freeze_dataset(&self, bundle: &Bundle<'_>, terms: &Terms) -> Result<(), BundleError> {
        let dataset = &bundle.manifest.dataset;
        match self.store.dataset(&terms.hardware, &dataset.digest) {
            Err(RegistryError::NotFound { .. }) => {}
            other => return Ok(other.map(drop)?),
        }
        let new = NewDataset {
            space: dataset.space.clone(),
            rows: dataset.rows,
            origin: dataset.origin.clone(),
            creator: terms.actor.clone(),
        };
        let content = bundle.blob(&dataset.digest)?;
        Ok(self.store.freeze_dataset(&terms.hardware, &new, content).map(drop)?)
    }
}

/// The version's content here: the same, and where it comes from.
fn content_here(bundle: &Bundle<'_>, actor: &str) -> NewVersion {
    let there = &bundle.manifest.version;
    let mut content = there.content.clone();
    content.imported.push(Origin {
        hardware: there.hardware.clone(),
        version: there.version,
        digest: there.digest.clone(),
        creator: there.content.creator.clone(),
        created_at: there.created_at.clone(),
        bundle: bundle.digest.clone(),
    });
    content.creator = actor.to_owned();
    content
}

/// Checks that the version says what each component of its recipe was fitted with: their digests are what is compared.
fn check_recipe(content: &NewVersion) -> Result<(), BundleError> {
    let unreadable = |error| BundleError::damaged(format!("its recipe cannot be read: {error}"));
    let recipe: Recipe = serde_json::from_value(content.recipe.clone()).map_err(unreadable)?;
    let of_residual = recipe
        .residual
        .as_ref()
        .filter(|_| !content.artifacts.contains_key(RESIDUAL));
    let left_out = 2 * of_residual.iter().count();
    let needed = recipe.components().count() - left_out;
    for (kind, spec) in recipe.components().take(needed) {
        let named = |used: &lglp_registry::PluginUse| {
            serde_json::from_value::<ComponentKind>(used.kind.clone().into()).is_ok_and(|k| k == kind)
                && used.component == spec.name
        };
        if !content.plugins.iter().any(named) {
            let name = &spec.name;
            return Err(BundleError::damaged(format!(
                "it does not say which plugin its {kind} `{name}` is of"
            )));
        }
    }
    Ok(())
}

/// Checks that there is something that the version must predict again.
fn check_golden(content: &NewVersion) -> Result<(), BundleError> {
    if content.golden.is_empty() {
        return Err(BundleError::damaged(
            "its version has no golden predictions, which it must make again when it is loaded; train it again, and export that",
        ));
    }
    Ok(())
}

fn missing(plugin: &TracedPlugin) -> String {
    let used = &plugin.fitted_with;
    format!(
        "no plugin here provides the {} `{}` of {} {} ({})",
        used.kind, used.component, used.plugin, used.version, used.sha256
    )
}

fn differing(plugin: &TracedPlugin) -> String {
    let used = &plugin.fitted_with;
    format!(
        "the {} `{}` of {} {} is {} there and {} here",
        used.kind,
        used.component,
        used.plugin,
        used.version,
        used.sha256,
        plugin.loaded_sha256.as_deref().unwrap_or("missing")
    )
}
