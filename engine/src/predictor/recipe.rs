//! Predictor recipes as data: an encoder, maybe a feature extractor, a regressor, maybe what corrects it, and their parameters.

use std::path::Path;

use lglp_sdk::{SearchSpace, strict};
use serde::{Deserialize, Serialize};

use super::{ResidualSpec, Target};
use crate::host::{ComponentKind, EncoderInstance, PluginError, PluginHost};
use crate::text;

/// A recipe, read from `catalog/recipes/*.toml`. Adding one changes no Rust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name that `lglp train --recipe` takes.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What extractor and regressor are fitted to.
    #[serde(default)]
    pub target: Target,
    /// What turns architectures, or the operators of their networks, into tensors.
    pub encoder: ComponentSpec,
    /// Learned features between encoder and regressor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extractor: Option<ComponentSpec>,
    /// What predicts the target from what encoder or extractor gives.
    pub regressor: ComponentSpec,
    /// What corrects the regressor, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualSpec>,
    /// Whether it learns from networks of no space beside the architectures of its own: only where the encoder reads operators, and the
    /// regressor tells each row as all others do.
    #[serde(default, skip_serializing_if = "is_not")]
    pub networks: bool,
    /// Whether training tries it where it is told no recipe.
    #[serde(default, skip_serializing)]
    pub candidate: Option<Candidate>,
}

/// When a recipe is tried where none is asked for. It is no part of what is fitted, so versions do not keep it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Rows, measured architectures, from which on it is; from the fewest that can be trained on, where it says nothing.
    #[serde(default)]
    pub from_rows: usize,
    /// Whether it is tried only in spaces of decisions, whose choices may tell more than the operators of their networks do.
    #[serde(default)]
    pub only_of_decisions: bool,
    /// Which of two is taken whose errors differ by no more than chance: the lower.
    pub rank: u32,
}

/// A component of some plugin, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentSpec {
    /// The component's name, as `lglp plugins` lists it.
    pub name: String,
    /// The plugin that provides it, where several do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// What the component's JSON Schema allows (`lglp plugins --json` shows it).
    #[serde(default = "no_parameters")]
    pub parameters: serde_json::Value,
}

fn is_not(flag: &bool) -> bool {
    !flag
}

fn no_parameters() -> serde_json::Value {
    serde_json::json!({})
}

impl Recipe {
    /// Its components, in the order in which they are fitted; those of a residual last, which a model may do without.
    pub fn components(&self) -> impl Iterator<Item = (ComponentKind, &ComponentSpec)> {
        let residual = self.residual.as_ref();
        [
            (ComponentKind::Encoder, Some(&self.encoder)),
            (ComponentKind::FeatureExtractor, self.extractor.as_ref()),
            (ComponentKind::Regressor, Some(&self.regressor)),
            (ComponentKind::Encoder, residual.map(|residual| &residual.encoder)),
            (ComponentKind::Regressor, residual.map(|residual| &residual.regressor)),
        ]
        .into_iter()
        .filter_map(|(kind, spec)| Some((kind, spec?)))
    }

    /// Makes sure that its encoders read a space, as far as their plugins are there.
    ///
    /// # Errors
    /// What an encoder lacks.
    pub fn check_reads(&self, host: &PluginHost, space: &SearchSpace) -> Result<(), PluginError> {
        for (kind, spec) in self.components() {
            let handle = host.component_of(kind, &spec.name, spec.plugin.as_deref());
            if let (ComponentKind::Encoder, Ok(handle)) = (kind, handle) {
                EncoderInstance::new(&handle, space, &spec.parameters)?;
            }
        }
        Ok(())
    }

    /// Reads `NAME.toml` in `folder`.
    pub fn load(folder: &Path, name: &str) -> Result<Self, RecipeError> {
        let known = Self::names(folder)?;
        if !known.iter().any(|k| k == name) {
            let known = known.join(", ");
            return Err(RecipeError(format!(
                "no recipe `{name}` in {}; there are: {known}",
                folder.display()
            )));
        }
        let path = folder.join(format!("{name}.toml"));
        let fail = |e: &dyn std::fmt::Display| RecipeError(format!("{}: {e}", path.display()));
        let text = text::read(&path).map_err(|e| fail(&e))?;
        let recipe: Self = strict::from_toml(&text).map_err(|e| fail(&e))?;
        if recipe.residual.is_some() && recipe.extractor.is_some() {
            let rule =
                "a residual corrects a regressor that reads what the encoder gives, and there is an extractor between";
            return Err(fail(&rule));
        }
        if recipe.networks && (recipe.extractor.is_some() || recipe.residual.is_some() || recipe.target.is_per_mac()) {
            let rule = "`networks` is for a regressor that reads whole networks: without extractor, residual, and targets per \
                        multiply-accumulate";
            return Err(fail(&rule));
        }
        if recipe.name != name {
            return Err(fail(&format!("name is {:?}; it must be that of the file", recipe.name)));
        }
        Ok(recipe)
    }

    /// The recipes of a folder, sorted.
    pub fn names(folder: &Path) -> Result<Vec<String>, RecipeError> {
        let entries = std::fs::read_dir(folder)
            .map_err(|e| RecipeError(format!("cannot read the recipes in {}: {e}", folder.display())))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }
}

/// A recipe that cannot be used, with the file and field at fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecipeError(pub String);
