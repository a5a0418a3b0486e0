//! Which experiments to run, as data.

use std::collections::BTreeMap;
use std::path::Path;

use lglp_sdk::strict;
use serde::{Deserialize, Serialize};

use crate::predictor::{ComponentSpec, Recipe, RecipeError};
use crate::text;

/// An experiment file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Experiments {
    /// Stands in the heading of the report.
    pub title: String,
    /// Splits that every figure is a mean of; their seeds count from 0.
    pub splits: u64,
    /// Every predictor, beside the paper's Table 1.
    pub table1: Table1,
    /// The comparison of encodings.
    pub encodings: Encodings,
    /// The comparison of connections.
    pub connections: Connections,
    /// The error by number of training architectures.
    pub learning_curve: LearningCurve,
}

/// Every predictor as its recipe has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table1 {
    pub recipes: Vec<String>,
    /// The recipe that the paper argues for.
    pub favourite: String,
    /// The paper's figures, by recipe and metric.
    #[serde(default)]
    pub paper: BTreeMap<String, BTreeMap<String, f64>>,
}

/// Encoding by predictor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encodings {
    pub recipes: Vec<String>,
    /// For recipes whose encoder does not give a sequence.
    pub flat: Vec<ComponentSpec>,
    /// For recipes whose encoder does.
    pub sequence: Vec<ComponentSpec>,
}

/// How hidden states become features.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// A recipe whose regressor has the parameter `connection`.
    pub recipe: String,
    pub values: Vec<String>,
}

/// Error against the number of training architectures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningCurve {
    pub recipes: Vec<String>,
    pub sizes: Vec<usize>,
    pub splits: u64,
}

/// A file of experiments that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentsError {
    /// The file cannot be read or contradicts itself, or the rows are too few; in words.
    #[error("{0}")]
    File(String),
    /// A recipe that it names is missing or cannot be read.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

impl Experiments {
    /// Reads an experiment file, and checks its numbers of splits and its favourite; its recipes are not read yet.
    pub fn load(path: &Path) -> Result<Self, ExperimentsError> {
        let fail = |e: &dyn std::fmt::Display| ExperimentsError::File(format!("{}: {e}", path.display()));
        let text = text::read(path).map_err(|e| fail(&e))?;
        let experiments: Self = strict::from_toml(&text).map_err(|e| fail(&e))?;
        if experiments.splits == 0 || experiments.learning_curve.splits == 0 {
            return Err(fail(&"splits must be 1 or more"));
        }
        if !experiments.table1.recipes.contains(&experiments.table1.favourite) {
            return Err(fail(&"table1.favourite is not among table1.recipes"));
        }
        Ok(experiments)
    }
}

/// A recipe of an experiment, with what it differs in from the file of that name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    pub recipe: Recipe,
    /// The encoder's name.
    pub encoding: String,
    /// Whether the encoder gives a sequence of layers.
    pub sequence: bool,
    /// The regressor's `connection`, where it has one.
    pub connection: Option<String>,
}

impl Variant {
    pub fn load(recipes: &Path, name: &str) -> Result<Self, RecipeError> {
        Ok(Self::of(Recipe::load(recipes, name)?))
    }

    fn of(recipe: Recipe) -> Self {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Self {
            encoding: recipe.encoder.name.clone(),
            sequence: recipe.encoder.parameters["sequence"].as_bool().unwrap_or(false),
            connection: text(&recipe.regressor.parameters["connection"]),
            recipe,
        }
    }

    pub(crate) fn with_encoder(&self, encoder: &ComponentSpec) -> Self {
        let mut recipe = self.recipe.clone();
        recipe.encoder = encoder.clone();
        Self::of(recipe)
    }

    pub(crate) fn with_connection(&self, connection: &str) -> Self {
        let mut recipe = self.recipe.clone();
        recipe.regressor.parameters["connection"] = connection.into();
        Self::of(recipe)
    }
}
